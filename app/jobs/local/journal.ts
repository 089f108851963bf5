import { crc32 } from 'node:zlib';
import { BadJournalError, StoreUnavailableError } from '../errors.ts';
import type { AppendFile, StateFolder } from './state-folder.ts';

const NAME = 'jobs.journal';
const NEXT_NAME = 'jobs.journal.next';
const HEADER = { journal: 'hiresfix-jobs', version: 1 };
/** The journal is written anew when it has this many times as many records as there are values, and this many more. */
const COMPACT_RATIO = 4;
const COMPACT_SURPLUS = 1000;

type Folder = Pick<StateFolder, keyof StateFolder>;

type JournalRecord<T> = { readonly put: T } | { readonly remove: readonly string[] };

interface Waiter<T> {
  readonly record: JournalRecord<T>;
  readonly line: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Values by id that survive kill and power cut: an append-only file of lines, each `crc32 json`. A promise of `put` or
 * `remove` resolves when its line is on the disk. Lines that come while others are being synced share the next sync, so that
 * many callers wait for few of them. A line is the whole value: what is torn or was never acknowledged is left out, and
 * nothing else depends on it.
 */
export class Journal<T extends { readonly id: string }> {
  readonly #folder: Folder;
  readonly #compactSurplus: number;
  readonly #values = new Map<string, T>();
  #file: AppendFile | undefined;
  /** Bytes that are known to be on the disk. */
  #length = 0;
  #records = 0;
  #waiting: Waiter<T>[] = [];
  #flushing: Promise<void> | undefined;
  #failure: Error | undefined;

  /** @param compactSurplus records beyond four times the values after which the journal is written anew */
  constructor(folder: Folder, compactSurplus = COMPACT_SURPLUS) {
    this.#folder = folder;
    this.#compactSurplus = compactSurplus;
  }

  /** Whether values can be stored. A disk that fails to sync is not asked again: what it has lost cannot be known. */
  get isUsable(): boolean {
    return this.#file !== undefined && this.#failure === undefined;
  }

  /**
   * Reads what was stored, in the order in which ids came first, and how many damaged lines were left out.
   * @throws BadJournalError for a journal of another version, and the disk's errors
   */
  async open(): Promise<{ readonly values: readonly T[]; readonly damagedLines: number }> {
    await this.#folder.create();
    const bytes = await this.#folder.read(NAME);
    const damagedLines = bytes ? this.#replay(bytes) : 0;
    if (!bytes || damagedLines > 0 || this.#isWordy()) await this.#rewrite();
    else {
      this.#length = bytes.length;
      this.#file = await this.#folder.open(NAME, { isNew: false });
    }
    return { values: [...this.#values.values()], damagedLines };
  }

  /** Stores a value in the place of the one of the same id. @throws StoreUnavailableError */
  put(value: T): Promise<void> {
    return this.#append({ put: value });
  }

  /** @throws StoreUnavailableError */
  remove(ids: readonly string[]): Promise<void> {
    return this.#append({ remove: ids });
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #append(record: JournalRecord<T>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, line: lineOf(record), resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
  }

  async #flushAll(): Promise<void> {
    await Promise.resolve(); // what is put in the same turn goes into the same sync
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch);
        batch.forEach(({ resolve }) => resolve());
      } catch (cause) {
        const error = new StoreUnavailableError(cause);
        batch.forEach(({ reject }) => reject(error));
      }
      if (this.isUsable && this.#isWordy()) await this.#compact();
    }
    this.#flushing = undefined; // in the same turn in which nothing was waiting: whoever comes next starts anew
  }

  async #write(batch: readonly Waiter<T>[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (!this.#file) throw new Error('the journal is closed');
    const bytes = Buffer.concat(batch.map(({ line }) => line));
    await this.#appendOrTakeBack(this.#file, bytes);
    await this.#orFail(() => this.#file?.sync());
    this.#length += bytes.length;
    for (const { record } of batch) this.#apply(record);
  }

  /** A full disk takes a part of the bytes; without it the journal is as good as before, and better times may come. */
  async #appendOrTakeBack(file: AppendFile, bytes: Buffer): Promise<void> {
    try {
      await file.append(bytes);
    } catch (error) {
      await this.#orFail(() => file.truncate(this.#length));
      throw error;
    }
  }

  async #orFail(step: () => Promise<void> | undefined): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw this.#failure;
    }
  }

  /** Where there is no room for a second journal, the first goes on growing for a while. */
  async #compact(): Promise<void> {
    try {
      await this.#rewrite();
    } catch {
      this.#records = this.#values.size;
    }
  }

  /** Another file takes the journal's name when it is whole: there is one journal at any time. */
  async #rewrite(): Promise<void> {
    const lines = [HEADER, ...[...this.#values.values()].map((put) => ({ put }))].map(lineOf);
    const bytes = Buffer.concat(lines);
    const file = await this.#folder.open(NEXT_NAME, { isNew: true });
    try {
      await file.append(bytes);
      await file.sync();
    } catch (error) {
      await file.close();
      throw error;
    }
    // From here on the name may stand for either file: a failure leaves none that could be written to.
    await this.#orFail(async () => {
      await this.#folder.rename(NEXT_NAME, NAME);
      await this.#folder.sync();
    });
    await this.#file?.close();
    this.#file = file;
    this.#length = bytes.length;
    this.#records = this.#values.size;
  }

  #isWordy(): boolean {
    return this.#records > COMPACT_RATIO * this.#values.size + this.#compactSurplus;
  }

  #apply(record: JournalRecord<T>): void {
    this.#records++;
    if ('put' in record) this.#values.set(record.put.id, record.put);
    else for (const id of record.remove) this.#values.delete(id);
  }

  /** @returns how many lines are damaged: torn at the end, or never synced before the power went */
  #replay(bytes: Buffer): number {
    let damaged = 0;
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(10, start);
      const value = end < 0 ? undefined : parseLine(bytes.subarray(start, end));
      if (value === undefined) damaged++;
      else if ('journal' in value) assertReadable(value);
      else this.#apply(value as JournalRecord<T>);
      start = end < 0 ? bytes.length : end + 1;
    }
    return damaged;
  }
}

function lineOf(value: object): Buffer {
  const json = JSON.stringify(value);
  return Buffer.from(`${checksum(Buffer.from(json))} ${json}\n`);
}

function parseLine(line: Buffer): object | undefined {
  const json = line.subarray(9);
  if (line.toString('latin1', 0, 9) !== `${checksum(json)} `) return undefined;
  return JSON.parse(json.toString()) as object;
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

function assertReadable(header: object): void {
  if (JSON.stringify(header) !== JSON.stringify(HEADER)) throw new BadJournalError(NAME, JSON.stringify(header));
}
