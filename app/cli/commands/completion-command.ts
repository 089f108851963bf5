import type { Command } from 'commander';
import { Argument } from 'commander';
import type { Shell } from '../completion-scripts.ts';
import { completionScript, SHELLS } from '../completion-scripts.ts';
import { addExamples } from '../image-arguments.ts';

const EXAMPLES = ['completion bash', 'completion fish > ~/.config/fish/completions/hiresfix.fish'];

/** Adds `hiresfix completion` to the program, which is to have all other commands too. */
export function addCompletionCommand(program: Command): void {
  const command = program
    .command('completion')
    .description('Print a script for shell completion: source <(hiresfix completion bash)')
    .addArgument(new Argument('<shell>', 'shell to complete in').choices(SHELLS));
  addExamples(command, EXAMPLES).action((shell: Shell) => {
    process.stdout.write(completionScript(program, shell));
  });
}
