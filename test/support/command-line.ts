import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { BuiltProgram } from './built-program.ts';
import { buildProgram, sharedProgram } from './built-program.ts';
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

  static async build(patches?: Readonly<Record<string, Patch>>): Promise<CommandLine> {
    return new CommandLine(await (patches ? buildProgram(patches) : sharedProgram()));
  }

  /** The entry of the program. */
  get main(): string {
    return this.#program.main;
  }

  /** Runs `hiresfix ARGS` in an environment that has nothing of this one's but where programs and scratch files lie. */
  async run(args: readonly string[], place: CommandPlace): Promise<CommandEnd> {
    const { code, stdout, stderr } = await this.pipe(args, { ...place, input: undefined });
    return { code, stdout: stdout.toString(), stderr };
  }

  /** The same with `input` at stdin, and what comes out as bytes. */
  pipe(
    args: readonly string[],
    { cwd, env, onStart, input }: CommandPlace & { readonly input: Buffer | undefined },
  ): Promise<Omit<CommandEnd, 'stdout'> & { readonly stdout: Buffer }> {
    const { PATH, TMPDIR } = process.env;
    const child = spawn(process.execPath, [this.#program.main, ...args], {
      cwd,
      env: { PATH, TMPDIR, FORCE_CPU: 'true', MODEL_DOWNLOADS: 'false', ...env },
      stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    child.stdin?.end(input);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
    onStart?.(child);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
      );
    });
  }

  remove(): Promise<void> {
    return this.#program.remove();
  }
}

/** Waits until a program that runs has said something. */
export async function untilSaid(stream: Readable | null, words: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve) => {
    stream?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes(words)) resolve();
    });
  });
}
