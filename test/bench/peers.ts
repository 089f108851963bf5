import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';

/** The runtimes of other languages, in one process of Python that runs each of them once a round. */
export class Peers {
  readonly #child: ReturnType<typeof spawn> | undefined;
  readonly #lines: AsyncIterator<string> | undefined;

  private constructor(child?: ReturnType<typeof spawn>, lines?: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** None where there is no such Python, or nothing in it. */
  static async start(program: string, ...args: readonly string[]): Promise<Peers> {
    const script = fileURLToPath(new URL(program, import.meta.url));
    const python = process.env['PYTHON'] ?? 'python3';
    const child = spawn(python, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (first === undefined || first.done === true) return new Peers();
    process.stdout.write(`beside: ${first.value}\n`);
    return new Peers(child, lines);
  }

  /** @param asked a line, for programs that run something else each time */
  async round(asked = 'run'): Promise<Readonly<Record<string, number>>> {
    if (!this.#child || !this.#lines) return {};
    this.#child.stdin?.write(`${asked}\n`);
    const next = await this.#lines.next();
    return JSON.parse(String(next.value)) as Record<string, number>;
  }

  stop(): void {
    this.#child?.stdin?.end();
  }
}
