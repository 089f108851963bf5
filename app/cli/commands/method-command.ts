import type { Command } from 'commander';
import type { z } from 'zod';
import type { Config } from '../../config.ts';
import type { ImageMethod, ImageMethodName } from '../../options/methods.ts';
import { outputOptions } from '../../options/output-options.ts';
import { flagOf, givenFlags, parseOptions } from '../flag-options.ts';
import { addExamples, addImageArguments, addResultOptions } from '../image-arguments.ts';
import { runImageCommand } from '../image-command.ts';
import type { ImageFlags } from '../batch-plan.ts';
import { OUTPUT_FLAGS } from '../batch-plan.ts';

/**
 * Adds `hiresfix METHOD` of a method that has no command written for it: its flags are the fields of its form, and their help is
 * what the documents of the service say of them.
 */
export function addMethodCommand(
  [name, method]: readonly [ImageMethodName, ImageMethod],
  program: Command,
  loadConfig: () => Config,
): void {
  const fields = fieldsOf(method.form);
  const command = addImageArguments(program.command(name).description(method.summary));
  for (const { flag, isTruthValue, help } of fields) {
    command.option(isTruthValue ? `--${dashed(flag)}` : `--${dashed(flag)} <value>`, help);
  }
  const names = fields.map(({ flag }) => flag);
  const examples = [`${name} photo.jpg -o result.png`];
  addExamples(addResultOptions(command, method.suffix), examples).action(
    async (inputs: string[], flags: ImageFlags) => {
      const config = loadConfig();
      const given = givenFlags(flags, [...names, ...OUTPUT_FLAGS]);
      const work = method.workOf(parseOptions(method.form, given), config);
      await runImageCommand(inputs, flags, {
        config,
        createTask: (images) => Promise.resolve({ ...work, ...images }),
        call: { method: name, fields: given },
      });
    },
  );
}

interface Field {
  /** As commander names it. */
  readonly flag: string;
  readonly isTruthValue: boolean;
  readonly help: string;
}

/** The fields of a form but for those that say how a result is written, which every command has. */
function fieldsOf(form: z.ZodObject): readonly Field[] {
  const fields = Object.entries(form.shape).filter(([field]) => !Object.hasOwn(outputOptions.shape, field));
  return (fields as [string, z.ZodType][]).map(([field, schema]) => ({
    flag: flagOf(field),
    isTruthValue: schema.safeParse(true).success,
    help: schema.description ?? '',
  }));
}

function dashed(flag: string): string {
  return flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
