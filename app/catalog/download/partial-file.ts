import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import type { ByteRange } from './byte-ranges.ts';
import { ByteRanges } from './byte-ranges.ts';
import { errorCode } from '../../files/error-code.ts';
import type { PartState } from './part-sidecar.ts';
import { PartSidecar, readPartState } from './part-sidecar.ts';

/** Which file the bytes of a `.part` are from. */
export interface PartOrigin {
  /** As it stands in the catalogue, before redirects. */
  readonly url: string;
  /** The strong `ETag` or the `Last-Modified` that the server gave; null where it gave none that holds. */
  readonly validator: string | null;
  readonly total: number;
}

/** When progress is made durable. */
export interface CheckpointPolicy {
  readonly everyMs: number;
  readonly everyBytes: number;
}

/**
 * A download in progress: `<file>.part`, and `<file>.part.json` that says which ranges of it are on the disk. The ranges
 * are written after the data they speak of was synced, so whatever survives a crash can be trusted and is not fetched again.
 */
export class PartialFile {
  readonly path: string;
  readonly #policy: CheckpointPolicy;
  readonly #file: FileHandle;
  #origin: PartOrigin | undefined;
  #sidecar: PartSidecar | undefined;
  #ranges = new ByteRanges();
  #isMixed = false;
  #isResumed = false;
  /** False as long as what an earlier run left is as it was. */
  #isTouched = false;
  #unsaved = 0;
  #savedAt = -Infinity;
  #saving: Promise<void> | undefined;
  #saveError: unknown;

  private constructor(path: string, file: FileHandle, policy: CheckpointPolicy) {
    this.path = path;
    this.#file = file;
    this.#policy = policy;
  }

  /** Opens or creates it; nothing of an old content counts until `begin`. A link in its place goes, and not what it leads to. */
  static async open(path: string, policy: CheckpointPolicy): Promise<PartialFile> {
    const file = await openPlain(path).catch(async (error: unknown) => {
      if (errorCode(error) !== 'ELOOP') throw error;
      await rm(path);
      return openPlain(path);
    });
    return new PartialFile(path, file, policy);
  }

  /** Bytes of the disk that it has taken: some may be of ranges that have to be fetched again. */
  async allocated(): Promise<number> {
    return (await this.#file.stat()).blocks * 512;
  }

  /** Bytes that are in the file. */
  get received(): number {
    return this.#ranges.size;
  }

  /** Whether bytes of an earlier run, or of another source, are in it: then a wrong hash may not be this source's fault. */
  get isInherited(): boolean {
    return this.#isResumed || this.#isMixed;
  }

  /** What is not there yet. */
  missing(): ByteRange[] {
    return this.#ranges.missing(this.#origin?.total ?? 0);
  }

  /**
   * Declares what is going to be written. Keeps what is there if it is of the same version of the same file; with a known
   * hash (`isHashKnown`, which the end is held against) also what another mirror gave. Drops it otherwise.
   */
  async begin(origin: PartOrigin, isHashKnown: boolean): Promise<void> {
    const old = this.#origin
      ? { ...this.#origin, isMixed: this.#isMixed, ranges: this.#ranges.toJSON() }
      : await readPartState(sidecarPath(this.path));
    const isSameSource = old?.url === origin.url;
    const isSameVersion = old?.validator === origin.validator && (origin.validator !== null || isHashKnown);
    const isUsable = old?.total === origin.total && (isSameSource ? isSameVersion : isHashKnown);
    if (!isUsable) return this.restart(origin);
    const { size } = await this.#file.stat();
    const ranges = new ByteRanges(old.ranges);
    // A sidecar that outlived its data (a restored backup, a disk that lied about its sync) says nothing.
    if (ranges.end > size) return this.restart(origin);
    this.#isResumed ||= !this.#origin && ranges.size > 0;
    this.#isMixed = old.isMixed || (!isSameSource && ranges.size > 0);
    this.#ranges = ranges;
    await this.#note(origin);
  }

  /** Drops everything that is there. Without an origin nothing is resumable either: a server that cannot serve ranges. */
  async restart(origin?: PartOrigin): Promise<void> {
    await this.#saving;
    this.#isTouched = true;
    this.#ranges = new ByteRanges();
    this.#isMixed = false;
    this.#isResumed = false;
    this.#unsaved = 0;
    await this.#note(origin);
    await this.#file.truncate(0);
  }

  /** Writes a chunk where it belongs, and from time to time makes what is there durable. @throws the disk's errors */
  async write(chunk: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, position + done);
      done += bytesWritten;
    }
    this.#ranges.add(position, position + chunk.length);
    this.#unsaved += chunk.length;
    if (this.#saveError !== undefined) throw asError(this.#saveError);
    const isDue = performance.now() - this.#savedAt >= this.#policy.everyMs || this.#unsaved >= this.#policy.everyBytes;
    if (isDue) this.#saving ??= this.#saveInBackground();
  }

  /** Makes what is there durable, now. */
  async checkpoint(): Promise<void> {
    await this.#saving;
    await this.#save();
  }

  /** The first `length` bytes, fewer where the file is shorter. */
  async head(length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  }

  /** Closes a file that is complete. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#sidecar?.close();
    this.#sidecar = undefined;
    await this.#file.close();
  }

  /** Closes a file that is not complete: makes what is there count for the next run, or deletes what no run could go on from. */
  async leave(): Promise<void> {
    const isResumable = this.#origin ? this.received > 0 : !this.#isTouched && (await this.#file.stat()).size > 0;
    if (this.#origin && isResumable) await this.checkpoint().catch(() => undefined); // a full disk: the last checkpoint holds
    await this.close();
    if (!isResumable) await discardPartialFile(this.path);
  }

  /** Begins a sidecar for what is going to be written, or does without. */
  async #note(origin: PartOrigin | undefined): Promise<void> {
    await this.#saving; // into the sidecar that is closed now
    await this.#sidecar?.close();
    this.#sidecar = undefined;
    this.#origin = origin;
    if (origin) this.#sidecar = await PartSidecar.open(sidecarPath(this.path), this.#stateOf(origin));
    else await rm(sidecarPath(this.path), { force: true });
  }

  #stateOf(origin: PartOrigin): PartState {
    return { ...origin, isMixed: this.#isMixed, ranges: this.#ranges.toJSON().map(([start, end]) => [start, end]) };
  }

  async #saveInBackground(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#saveError = error;
    }
    this.#saving = undefined;
  }

  async #save(): Promise<void> {
    const startedAt = performance.now();
    this.#unsaved = 0;
    const state = this.#origin && this.#stateOf(this.#origin);
    await this.#file.datasync();
    if (state) await this.#sidecar?.save(state);
    // A disk is not kept busy with syncing alone: the next one waits at least three times as long as this one took.
    const now = performance.now();
    this.#savedAt = Math.max(now, now + 3 * (now - startedAt) - this.#policy.everyMs);
  }
}

function openPlain(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
}

/** Deletes a `.part` and what belongs to it. */
export async function discardPartialFile(path: string): Promise<void> {
  await Promise.all([path, sidecarPath(path)].map((file) => rm(file, { force: true })));
}

/** How far a download is that another process runs; undefined where there is none. */
export async function partialProgress(path: string): Promise<{ received: number; total: number } | undefined> {
  const state = await readPartState(sidecarPath(path));
  return state && { received: new ByteRanges(state.ranges).size, total: state.total };
}

function sidecarPath(path: string): string {
  return `${path}.json`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
