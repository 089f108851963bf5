import type { Stats } from 'node:fs';
import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../errors.ts';
import type { ScratchFolder } from '../scratch-folder.ts';
import { scratchFolder } from '../scratch-folder.ts';

/** What stands for stdin among inputs, and for stdout as output. */
export const DASH = '-';

/** The ways in which systems spell the stdin of this process, which is another one for the process that reads pictures. */
const STDIN = new Set([DASH, '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

/** Whether an input is read as it comes: stdin, a named pipe, or what a shell makes of `<(command)`. */
export function isPipe(input: string, info: Stats | undefined): boolean {
  return STDIN.has(input) || info?.isFIFO() === true || info?.isCharacterDevice() === true;
}

/** Pictures that come and go through pipes. They lie in files for as long as they are worked on. */
export class PipedPictures {
  #folder: ScratchFolder | undefined;
  #received = 0;

  /** A folder of scratch files, made when it is first asked for. */
  folder(): string {
    return (this.#folder ??= scratchFolder('pipe')).path;
  }

  /** Reads a pipe to its end. Returns the file that has it all. @throws UsageError where a terminal is at the other end */
  async receive(input: string): Promise<string> {
    const isStdin = STDIN.has(input);
    if (isStdin && process.stdin.isTTY) {
      throw new UsageError(
        `${input}: expected a picture through a pipe, as in \`hiresfix upscale - -o out.png < in.png\``,
      );
    }
    const name = isStdin ? 'stdin' : basename(input);
    const file = join(this.folder(), `${(this.#received += 1)}-${name}`);
    await pipeline(isStdin ? process.stdin : createReadStream(input), createWriteStream(file));
    return file;
  }

  /** Writes a file to stdout. */
  async deliver(file: string): Promise<void> {
    await pipeline(createReadStream(file), process.stdout, { end: false });
  }

  remove(): void {
    this.#folder?.remove();
  }
}
