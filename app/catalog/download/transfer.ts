import { setMaxListeners } from 'node:events';
import { receivedRange } from './answers.ts';
import { copyBody } from './body-copy.ts';
import type { ByteRange } from './byte-ranges.ts';
import type { FileClient } from './file-client.ts';
import type { PartialFile } from './partial-file.ts';
import type { SegmentSizes } from './range-queue.ts';
import { RangeQueue } from './range-queue.ts';
import type { RetryPolicy } from './retry.ts';
import { waitBeforeRetry } from './retry.ts';
import type { RangedSource, StreamSource } from './source-probe.ts';
import type { StallLimits } from './stall-clock.ts';
import { asFault, TransferFault } from './transfer-fault.ts';

/** What a transfer needs, whichever way it goes. */
export interface TransferContext {
  readonly client: FileClient;
  readonly part: PartialFile;
  readonly sizes: SegmentSizes;
  readonly retry: RetryPolicy;
  readonly stall: StallLimits;
  readonly signal: AbortSignal;
  /** Called after every chunk. */
  readonly onBytes: () => void;
  /** The largest file that is taken, where the size is not announced. */
  readonly largest: number;
}

/** An attempt that got this far was worth something: the failures are counted from 0 again. */
const PROGRESS_BYTES = 64 * 1024;

/** Fetches all that `context.part` lacks over several connections. `probeAgain` finds the source anew when its URL expired. */
export async function transferRanges(
  source: RangedSource,
  probeAgain: () => Promise<RangedSource>,
  context: TransferContext,
): Promise<void> {
  await new RangedTransfer(source, probeAgain, context).run();
}

class RangedTransfer {
  readonly #context: TransferContext;
  readonly #queue: RangeQueue;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #probeAgain: () => Promise<RangedSource>;
  #source: RangedSource;
  #renewal: Promise<RangedSource> | undefined;
  #working = 0;

  constructor(source: RangedSource, probeAgain: () => Promise<RangedSource>, context: TransferContext) {
    this.#source = source;
    this.#probeAgain = probeAgain;
    this.#context = context;
    this.#queue = new RangeQueue(context.part.missing(), context.sizes);
    this.#signal = AbortSignal.any([context.signal, this.#stop.signal]);
    setMaxListeners(0, this.#signal); // one for every connection, however many there are
  }

  async run(): Promise<void> {
    const workers = Array.from({ length: this.#context.sizes.connections }, () => this.#work());
    const [failed] = (await Promise.allSettled(workers)).filter((result) => result.status === 'rejected');
    this.#context.signal.throwIfAborted();
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    if (failed) throw failed.reason;
  }

  /** One connection's life: range after range, until there is none. */
  async #work(): Promise<void> {
    this.#working += 1;
    for (let range = this.#queue.take(); range; range = this.#queue.take()) {
      const cursor = { position: range[0] };
      try {
        await this.#fetchRange(range[1], cursor);
      } catch (error) {
        const fault = asFault(error);
        // The server wants fewer connections: as long as another one gets through, this one leaves its work to it.
        if (fault.reason === 'busy' && this.#working > 1 && !this.#signal.aborted) {
          this.#queue.giveBack([cursor.position, range[1]]);
          break;
        }
        if (!this.#signal.aborted) this.#stop.abort(fault);
        throw fault;
      }
    }
    this.#working -= 1;
  }

  async #fetchRange(end: number, cursor: { position: number }): Promise<void> {
    let isRenewed = false;
    for (let failures = 0; cursor.position < end;) {
      const start = cursor.position;
      const source = this.#source;
      try {
        await this.#fetchOnce([start, end], cursor);
        failures = 0;
      } catch (error) {
        this.#signal.throwIfAborted();
        const fault = asFault(error);
        failures = cursor.position - start >= PROGRESS_BYTES ? 1 : failures + 1;
        const isExpired: boolean = fault.status === 403 && !isRenewed;
        if (isExpired) await this.#renew(source);
        else await waitBeforeRetry(fault, failures, this.#context.retry, this.#signal);
        isRenewed ||= isExpired;
      }
    }
  }

  async #fetchOnce(range: ByteRange, cursor: { position: number }): Promise<void> {
    const { client, part, stall, onBytes } = this.#context;
    const { url, headers, validator, total } = this.#source;
    const response = await client.open(
      url,
      { ...headers, range: `bytes=${range[0]}-${range[1] - 1}`, ...(validator !== null && { 'if-range': validator }) },
      this.#signal,
    );
    try {
      const [, end] = receivedRange(response, range, { total, validator });
      await copyBody(response, {
        part,
        cursor,
        end,
        overrun: 'bad-range',
        isEndKnown: true,
        stall: this.#stallShare(stall),
        signal: this.#signal,
        onBytes,
      });
    } finally {
      if (!response.body.readableEnded) response.body.destroy();
    }
  }

  /** A slow line is shared by all connections, so each may be slower the more there are. */
  #stallShare(stall: StallLimits): StallLimits {
    return { ...stall, bytesPerSecond: stall.bytesPerSecond / this.#context.sizes.connections };
  }

  /** Signed URLs expire: asks the original one again, once for all connections that found out. */
  async #renew(old: RangedSource): Promise<void> {
    if (old !== this.#source) return;
    this.#renewal ??= this.#probeAgain();
    try {
      const found = await this.#renewal;
      if (found.total !== old.total || found.validator !== old.validator) {
        throw new TransferFault('source-changed', 'the source changed during the download');
      }
      this.#source = found;
    } finally {
      this.#renewal = undefined;
    }
  }
}

/** Fetches a file from its beginning over one connection. What breaks off starts anew: the server serves no ranges. */
export async function transferStream(
  source: StreamSource,
  size: number | null,
  context: TransferContext,
): Promise<void> {
  const { part, stall, signal, onBytes, largest } = context;
  await part.restart();
  const end = source.total ?? size ?? undefined;
  await copyBody(source.response, {
    part,
    cursor: { position: 0 },
    end: end ?? largest,
    overrun: 'wrong-size',
    isEndKnown: end !== undefined,
    stall,
    signal,
    onBytes,
  });
}
