import { beforeAll, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { addCommandExamples } from '../../../app/cli/command-examples.ts';
import { commandsFor } from '../../../app/cli/program-commands.ts';
import { loadLocalConfig } from '../../../app/config.ts';

/** The whole program, whose commands tell that they were reached in place of doing their work. */
async function program(reached: string[]): Promise<Command> {
  const whole = new Command('hiresfix');
  for (const add of await commandsFor(undefined)) add(whole, () => loadLocalConfig({}));
  addCommandExamples(whole);
  for (const command of everyCommand(whole)) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => void reached.push(pathOf(command)));
  }
  return whole;
}

function everyCommand(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

function pathOf(command: Command): string {
  return command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();
}

function examplesOf(command: Command): readonly string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  const [, examples = ''] = help.split('\nExamples:\n');
  return examples.split('\n').filter((line) => line.trim() !== '');
}

/** The words of a line, as a shell would have them; what it does with the output, and remarks, are not the program's. */
function wordsOf(line: string): readonly string[] {
  const [typed = ''] = line.trim().split(/ +\(| > /);
  return typed.split(/ +/).map((word) => word.replaceAll("'", ''));
}

describe('the help of every command', () => {
  let names: readonly string[];

  beforeAll(async () => {
    names = everyCommand(await program([])).map(pathOf);
  });

  it('has examples that parse and reach that command', async () => {
    expect(names.length).toBeGreaterThan(12);
    for (const name of names) {
      const reached: string[] = [];
      const command = everyCommand(await program(reached)).find((one) => pathOf(one) === name);
      const examples = command ? examplesOf(command) : [];
      expect([name, examples.length > 0]).toEqual([name, true]);
      for (const example of examples) {
        const [first, ...words] = wordsOf(example);
        expect(first).toBe('hiresfix');
        await (await program(reached)).parseAsync(words, { from: 'user' });
        expect(reached.pop()).toMatch(new RegExp(`^${name}( |$)`));
      }
    }
  });
});
