import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { IMAGE_METHODS } from '../options/methods.ts';

/** Adds a command to the program. */
type AddCommand = (program: Command, loadConfig: () => Config) => void;

interface ProgramCommand {
  readonly name: string;
  readonly load: () => Promise<AddCommand>;
}

const WRITTEN_COMMANDS: readonly ProgramCommand[] = [
  { name: 'upscale', load: async () => (await import('./commands/upscale-command.ts')).addUpscaleCommand },
  { name: 'face', load: async () => (await import('./commands/face-command.ts')).addFaceCommand },
  { name: 'faces', load: async () => (await import('./commands/faces-command.ts')).addFacesCommand },
  { name: 'restore', load: async () => (await import('./commands/restore-command.ts')).addRestoreCommand },
  { name: 'colorize', load: async () => (await import('./commands/restore-command.ts')).addColorizeCommand },
  { name: 'models', load: async () => (await import('./commands/models-command.ts')).addModelsCommand },
  { name: 'evaluate', load: async () => (await import('./commands/evaluate-command.ts')).addEvaluateCommand },
  { name: 'mcp', load: async () => (await import('./commands/mcp-command.ts')).addMcpCommand },
  { name: 'doctor', load: async () => (await import('./commands/doctor-command.ts')).addDoctorCommand },
  { name: 'config', load: async () => (await import('./commands/config-command.ts')).addConfigCommand },
  { name: 'completion', load: async () => (await import('./commands/completion-command.ts')).addCompletionCommand },
  { name: 'serve', load: async () => (await import('./commands/serve-command.ts')).addServeCommand },
];

/** Of methods that make an image of an image and for which none is written. */
const METHOD_COMMANDS: readonly ProgramCommand[] = [...IMAGE_METHODS]
  .filter(([name, { answer }]) => answer === 'image' && !WRITTEN_COMMANDS.some((command) => command.name === name))
  .map((method) => ({
    name: method[0],
    load: async () => {
      const { addMethodCommand } = await import('./commands/method-command.ts');
      return (program, load) => addMethodCommand(method, program, load);
    },
  }));

const COMMANDS = [...WRITTEN_COMMANDS, ...METHOD_COMMANDS];

/**
 * The command that is asked for; all of them, in the order of the help, where none is. What the others need is not loaded:
 * that takes as long as the rest of the start.
 */
export async function commandsFor(name: string | undefined): Promise<readonly AddCommand[]> {
  const asked = COMMANDS.filter((command) => command.name === name && name !== 'completion'); // which tells of all others
  const adders: AddCommand[] = [];
  for (const { load } of asked.length > 0 ? asked : COMMANDS) adders.push(await load());
  return adders;
}
