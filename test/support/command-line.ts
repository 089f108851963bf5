import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { BuiltProgram } from './built-program.ts';
import { buildProgram } from './built-program.ts';
import type { Patch } from './planted-sources.ts';

/** How a run of the command line ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandPlace {
  /** The working folder; no `.env` of the developer's lies there. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** `hiresfix` as its users have it: built, and each run a process of its own. */
export class CommandLine {
  readonly #program: BuiltProgram;

  private constructor(program: BuiltProgram) {
    this.#program = program;
  }

  static async build(patches: Readonly<Record<string, Patch>> = {}): Promise<CommandLine> {
    return new CommandLine(await buildProgram(patches));
  }

  /** The entry of the program. */
  get main(): string {
    return this.#program.main;
  }

  /** Runs `hiresfix ARGS` in an environment that has nothing of this one's but where programs and scratch files lie. */
  run(args: readonly string[], { cwd, env, onStart }: CommandPlace): Promise<CommandEnd> {
    const { PATH, TMPDIR } = process.env;
    const child = spawn(process.execPath, [this.#program.main, ...args], {
      cwd,
      env: { PATH, TMPDIR, FORCE_CPU: 'true', MODEL_DOWNLOADS: 'false', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
    onStart?.(child);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...texts }));
    });
  }

  remove(): Promise<void> {
    return this.#program.remove();
  }
}
