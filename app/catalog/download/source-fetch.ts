import { looksLikeCheckpoint, HEAD_BYTES } from '../checkpoint-head.ts';
import { megabytes, missingSpace } from './disk-space.ts';
import type { DownloadLimits } from './download-limits.ts';
import { InspectionError } from '../errors.ts';
import type { FileClient } from './file-client.ts';
import { sha256OfFile } from '../../files/file-hash.ts';
import type { PartialFile } from './partial-file.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { waitBeforeRetry } from './retry.ts';
import type { RangedSource, StreamSource } from './source-probe.ts';
import { probeSource } from './source-probe.ts';
import { errorCode } from '../../files/error-code.ts';
import { asFault, TransferFault } from './transfer-fault.ts';
import type { TransferContext } from './transfer.ts';
import { transferRanges, transferStream } from './transfer.ts';

/** What is wanted, and what it is held against. */
export interface WantedFile {
  readonly directory: string;
  /** In bytes; null where nobody knows. */
  readonly size: number | null;
  /** Null where nobody knows: then ranges are only mixed as far as the server vouches for them. */
  readonly sha256: string | null;
  /** Where the hash is from, for the message when it does not fit. */
  readonly hashOrigin: string;
  /** @throws InspectionError where it is no model after all */
  readonly open: (part: string) => Promise<void>;
}

export interface FetchContext {
  readonly client: FileClient;
  readonly part: PartialFile;
  readonly limits: DownloadLimits;
  readonly connections: number;
  readonly progress: ProgressMeter;
  readonly signal: AbortSignal;
}

/** Nobody there, as opposed to somebody who broke off: trying that often is no use. */
const UNREACHABLE = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH', 'ETIMEDOUT']);
const UNREACHABLE_ATTEMPTS = 2;

/** Fetches one file from one source at a time into a partial file that may already hold some of it. */
export class SourceFetch {
  readonly #wanted: WantedFile;
  readonly #context: FetchContext;
  /** As far as it is known. */
  #total = 0;

  constructor(wanted: WantedFile, context: FetchContext) {
    this.#wanted = wanted;
    this.#context = context;
  }

  /**
   * Leaves the whole, checked file in the `.part`, synced, and returns its sha256.
   * @throws TransferFault when this source will not do, or the signal's reason. A file whose bytes turned out wrong is not kept
   */
  async run(url: URL): Promise<string> {
    const { limits, signal } = this.#context;
    const once = { change: true, ranges: true };
    for (let failures = 0; ;) {
      let isComplete = false;
      try {
        await this.#transfer(url, !once.ranges);
        isComplete = true;
        return await this.#check();
      } catch (error) {
        signal.throwIfAborted();
        const fault = await this.#explain(asFault(error));
        if (await this.#startsOver(fault, isComplete, once)) continue;
        failures += 1;
        const attempts = isUnreachable(fault) ? UNREACHABLE_ATTEMPTS : limits.retry.attempts;
        await waitBeforeRetry(fault, failures, { ...limits.retry, attempts }, signal);
      }
    }
  }

  /** Drops bytes that are of no use, and says whether the same source deserves another attempt at once. */
  async #startsOver(
    { reason }: TransferFault,
    isComplete: boolean,
    once: { change: boolean; ranges: boolean },
  ): Promise<boolean> {
    const { part } = this.#context;
    // A wrong hash may be the fault of what was there before: then this source has not had its chance yet.
    let isAnotherChance = isComplete && reason === 'wrong-hash' && part.isInherited;
    if (reason === 'source-changed') {
      isAnotherChance = once.change;
      once.change = false;
    } else if (reason === 'no-ranges' || reason === 'bad-range') {
      isAnotherChance = once.ranges;
      once.ranges = false;
    } else if (!isComplete) return false;
    await part.restart();
    return isAnotherChance;
  }

  async #transfer(url: URL, isWhole: boolean): Promise<void> {
    const { part, client, signal, limits } = this.#context;
    const probe = await probeSource(client, url, { isWhole, signal, stall: limits.stall });
    if (probe.kind === 'stream') return this.#stream(probe);
    this.#checkSize(probe.total);
    // Without a validator and without a hash nothing would tell a mix of two versions from the file.
    if (probe.validator === null && this.#wanted.sha256 === null) return this.#transfer(url, true);
    await part.begin({ url: url.href, validator: probe.validator, total: probe.total }, this.#wanted.sha256 !== null);
    await this.#checkSpace(probe.total);
    await transferRanges(probe, () => this.#probeAgain(url), this.#transferContext(probe.total));
  }

  async #stream(probe: StreamSource): Promise<void> {
    const size = probe.total ?? this.#wanted.size;
    try {
      if (size !== null) {
        this.#checkSize(size);
        await this.#checkSpace(size);
      }
    } catch (error) {
      probe.response.body.destroy();
      throw error;
    }
    await transferStream(probe, this.#wanted.size, this.#transferContext(size));
  }

  async #probeAgain(url: URL): Promise<RangedSource> {
    const { client, signal, limits } = this.#context;
    const probe = await probeSource(client, url, { signal, stall: limits.stall });
    if (probe.kind === 'ranges') return probe;
    probe.response.body.destroy();
    throw new TransferFault('no-ranges', 'the source no longer serves ranges');
  }

  #transferContext(total: number | null): TransferContext {
    const { client, part, limits, connections, progress, signal } = this.#context;
    this.#total = total ?? 0;
    progress.report(part.received, total);
    return {
      client,
      part,
      sizes: { connections, smallest: limits.smallestSegment, largest: limits.largestSegment },
      retry: limits.retry,
      stall: limits.stall,
      signal,
      onBytes: () => progress.report(part.received, total),
      largest: limits.largestFile,
    };
  }

  /** Holds the complete file against everything that is known of it, and makes it durable. */
  async #check(): Promise<string> {
    const { part, signal } = this.#context;
    const { sha256, hashOrigin } = this.#wanted;
    this.#checkSize(part.received);
    if (!looksLikeCheckpoint(await part.head(HEAD_BYTES))) {
      throw new TransferFault('not-a-model', 'what arrived does not begin like a .pth or .safetensors file');
    }
    await part.checkpoint();
    const actual = await sha256OfFile(part.path, signal);
    if (sha256 === null || actual === sha256) {
      await this.#open();
      return actual;
    }
    throw new TransferFault('wrong-hash', `what arrived has the sha256 ${actual}, not ${sha256} (${hashOrigin})`);
  }

  async #open(): Promise<void> {
    try {
      await this.#wanted.open(this.#context.part.path);
    } catch (error) {
      if (!(error instanceof InspectionError)) throw error;
      throw new TransferFault('not-a-model', `what arrived is no model: ${error.message}`, { cause: error });
    }
  }

  #checkSize(size: number): void {
    const { size: expected } = this.#wanted;
    const { largestFile } = this.#context.limits;
    if (expected !== null && size !== expected) {
      throw new TransferFault('wrong-size', `the source has ${size} bytes, not the expected ${expected}`);
    }
    if (size > largestFile)
      throw new TransferFault('wrong-size', `the source has ${size} bytes; at most ${largestFile} are taken`);
  }

  async #checkSpace(total: number): Promise<void> {
    const { part } = this.#context;
    const missing = await missingSpace(this.#wanted.directory, total - (await part.allocated()));
    if (missing > 0) throw new DiskFullFault(this.#wanted.directory, missing, part.received);
  }

  /** A full disk is told with what is missing; the rest as it is. */
  async #explain(fault: TransferFault): Promise<TransferFault> {
    if (fault.reason !== 'disk-full' || fault instanceof DiskFullFault) return fault;
    const { part } = this.#context;
    const missing = await missingSpace(this.#wanted.directory, this.#total - (await part.allocated()));
    return new DiskFullFault(this.#wanted.directory, missing, part.received, fault);
  }
}

/** There is not enough room; `missingBytes` is 0 where the disk is full for another reason than its size, e.g. a quota. */
export class DiskFullFault extends TransferFault {
  readonly missingBytes: number;

  constructor(directory: string, missingBytes: number, received: number, cause?: unknown) {
    const missing =
      missingBytes > 0 ? `${missingBytes} bytes (${megabytes(missingBytes)}) more are needed` : 'no room is left';
    super(
      'disk-full',
      `the disk of ${directory} is full: ${missing}. Free some and start the download again; ` +
        `the ${megabytes(received)} that are there are kept`,
      { cause },
    );
    this.missingBytes = missingBytes;
  }
}

function isUnreachable(fault: TransferFault): boolean {
  return fault.reason === 'network' && UNREACHABLE.has(errorCode(fault) ?? '');
}
