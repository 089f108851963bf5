import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { diagnose } from '../../doctor/diagnose.ts';
import { diagnosisText } from '../terminal/diagnosis-text.ts';
import { UnhealthyError } from '../errors.ts';
import { addExamples } from '../image-arguments.ts';

const EXAMPLES = ['doctor', 'doctor --json'];

/** Adds `hiresfix doctor` to the program. */
export function addDoctorCommand(program: Command, loadConfig: () => Config): void {
  const command = program
    .command('doctor')
    .description('Check this installation (runtime, CUDA, cards, models, folders) and say what to do about problems')
    .option('--json', 'print one JSON document on stdout');
  addExamples(command, EXAMPLES).action(async ({ json }: { readonly json?: boolean }) => {
    const diagnosis = await diagnose(loadConfig());
    process.stdout.write(`${json === true ? JSON.stringify(diagnosis, null, 2) : diagnosisText(diagnosis)}\n`);
    const errors = diagnosis.problems.filter((problem) => problem.is_error);
    if (errors.length > 0) throw new UnhealthyError(`${errors.length} of these problems keep something from working`);
  });
}
