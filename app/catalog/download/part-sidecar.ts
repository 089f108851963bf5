import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';

const stateSchema = z.object({
  version: z.literal(1),
  sequence: z.int().min(0),
  url: z.string(),
  validator: z.string().nullable(),
  total: z.int().min(1),
  isMixed: z.boolean(),
  ranges: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
});
const lineSchema = z.object({ check: z.string(), state: z.string() });

/** What is known of a `.part`: which file it is to become, and which ranges of it are there. */
export type PartState = Readonly<Omit<z.infer<typeof stateSchema>, 'version' | 'sequence'>>;

/** In bytes; room for far more ranges than there can be connections. */
const SLOT = 16 * 1024;

/**
 * `<file>.part.json`: two lines of JSON of fixed length, written in turn. A crash while one is written leaves the other, and
 * since nothing grows, what was fetched can still be noted when the disk is full.
 */
export class PartSidecar {
  readonly #file: FileHandle;
  #sequence: number;

  private constructor(file: FileHandle, sequence: number) {
    this.#file = file;
    this.#sequence = sequence;
  }

  /**
   * Goes on from what is there, if anything is: the last state stays readable until `state` is on the disk. Both lines say
   * the same at first, so that both have their room.
   */
  static async open(path: string, state: PartState): Promise<PartSidecar> {
    const before = await readPartState(path);
    const sidecar = new PartSidecar(
      await open(path, constants.O_RDWR | constants.O_CREAT, 0o644),
      before?.sequence ?? 0,
    );
    try {
      await sidecar.save(state);
      await sidecar.save(state);
    } catch (error) {
      await sidecar.close();
      throw error;
    }
    return sidecar;
  }

  /** Replaces the older line, and waits until it is on the disk. */
  async save(state: PartState): Promise<void> {
    const sequence = (this.#sequence += 1);
    const text = JSON.stringify({ version: 1, sequence, ...state });
    const line = JSON.stringify({ check: checkOf(text), state: text });
    if (Buffer.byteLength(line) >= SLOT) return; // an absurdly long URL: such a download is not resumable
    const slot = Buffer.alloc(SLOT, ' ');
    slot.write(line);
    slot.write('\n', SLOT - 1);
    await this.#file.write(slot, 0, SLOT, (sequence % 2) * SLOT);
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The newer of the two lines that is whole; undefined where there is none. */
export async function readPartState(path: string): Promise<(PartState & { readonly sequence: number }) | undefined> {
  const lines = await readFile(path, 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  const states = lines.flatMap(parseLine);
  return states.sort((a, b) => b.sequence - a.sequence)[0];
}

function parseLine(line: string): readonly z.infer<typeof stateSchema>[] {
  try {
    const { check, state } = lineSchema.parse(JSON.parse(line));
    return check === checkOf(state) ? [stateSchema.parse(JSON.parse(state))] : [];
  } catch {
    return []; // torn, or not ours
  }
}

function checkOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
