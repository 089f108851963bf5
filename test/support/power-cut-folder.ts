import type { AppendFile, StateFolder } from '../../app/jobs/local/state-folder.ts';

type Folder = Pick<StateFolder, keyof StateFolder>;

interface Inode {
  /** What has been written. */
  bytes: Buffer;
  /** What would survive for certain. */
  synced: Buffer;
}

/** What lies on a disk after the power went. */
export type DiskImage = ReadonlyMap<string, Buffer>;

/**
 * A folder in memory that forgets what was not synced. `onStep` is called after every step that changes the disk: the power may
 * go there, and `images` are what may be found afterwards.
 */
export class PowerCutFolder implements Folder {
  readonly path = '/power-cut';
  readonly #onStep: (folder: PowerCutFolder) => void;
  #names = new Map<string, Inode>();
  #syncedNames: ReadonlyMap<string, Inode> = new Map();
  /** Thrown by the next step of each kind. */
  failNext: Partial<Record<'append' | 'sync' | 'truncate', Error>> = {};

  constructor(image: DiskImage = new Map(), onStep: (folder: PowerCutFolder) => void = () => undefined) {
    this.#onStep = onStep;
    for (const [name, bytes] of image) this.#names.set(name, { bytes, synced: bytes });
    this.#syncedNames = new Map(this.#names);
  }

  create(): Promise<void> {
    return Promise.resolve();
  }

  read(name: string): Promise<Buffer | undefined> {
    return Promise.resolve(this.#names.get(name)?.bytes);
  }

  open(name: string, { isNew }: { readonly isNew: boolean }): Promise<AppendFile> {
    const there = this.#names.get(name);
    const inode: Inode = there ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    if (isNew) inode.bytes = Buffer.alloc(0);
    this.#names.set(name, inode);
    this.#onStep(this);
    return Promise.resolve(this.#file(inode));
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#names.get(from);
    if (!inode) throw new Error(`no ${from}`);
    this.#names.delete(from);
    this.#names.set(to, inode);
    await this.#step();
  }

  async sync(): Promise<void> {
    this.#syncedNames = new Map(this.#names);
    await this.#step();
  }

  /** Every disk that the power may leave now: names and bytes that were not synced are there, or not, or in part. */
  images(): DiskImage[] {
    return [this.#syncedNames, this.#names].flatMap((names) => {
      const variants = Math.max(...[...names.values()].map((inode) => leftovers(inode).length), 1);
      return Array.from({ length: variants }, (_, index) => {
        const left = [...names].map(([name, inode]) => {
          const choices = leftovers(inode);
          return [name, choices[Math.min(index, choices.length - 1)] ?? inode.synced] as const;
        });
        return new Map(left);
      });
    });
  }

  #file(inode: Inode): AppendFile {
    return {
      append: async (bytes) => {
        const error = this.#failure('append');
        // A disk that fills up takes a part before it says so.
        const taken = error ? bytes.subarray(0, bytes.length >> 1) : bytes;
        inode.bytes = Buffer.concat([inode.bytes, taken]);
        await this.#step();
        if (error) throw error;
      },
      sync: async () => {
        const error = this.#failure('sync');
        if (error) throw error;
        inode.synced = inode.bytes;
        await this.#step();
      },
      truncate: async (length) => {
        const error = this.#failure('truncate');
        if (error) throw error;
        inode.bytes = inode.bytes.subarray(0, length);
        await this.#step();
      },
      close: () => Promise.resolve(),
    };
  }

  #failure(step: 'append' | 'sync' | 'truncate'): Error | undefined {
    const { [step]: error, ...others } = this.failNext;
    this.failNext = others;
    return error;
  }

  async #step(): Promise<void> {
    this.#onStep(this);
    await new Promise(setImmediate); // a disk takes its time: meanwhile others come
  }
}

/** What may be left of a file: all, what was synced, torn at block borders and in a line, or the end without what comes before. */
function leftovers({ bytes, synced }: Inode): Buffer[] {
  if (bytes.equals(synced)) return [bytes];
  const left = [bytes, synced];
  const from = Math.min(synced.length, bytes.length);
  for (const block of [512, 4096]) {
    for (let end = Math.ceil((from + 1) / block) * block; end < bytes.length; end += block) {
      left.push(bytes.subarray(0, end));
      const hole = Buffer.from(bytes);
      hole.fill(0, from, end);
      left.push(hole);
    }
  }
  left.push(bytes.subarray(0, (from + bytes.length) >> 1));
  return left;
}
