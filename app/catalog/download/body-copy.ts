import type { FileResponse } from './file-client.ts';
import type { PartialFile } from './partial-file.ts';
import type { StallLimits } from './stall-clock.ts';
import { StallClock } from './stall-clock.ts';
import type { FaultReason } from './transfer-fault.ts';
import { asFault, TransferFault } from './transfer-fault.ts';

/** Where a body goes, and how far. */
export interface CopyTarget {
  readonly part: PartialFile;
  /** Moved forward as bytes are written, also when the copy fails: what is behind it is in the file. */
  readonly cursor: { position: number };
  /** Nothing is written from here on; a body that goes further is a fault of the reason `overrun`. */
  readonly end: number;
  readonly overrun: FaultReason;
  /** False for a body of unknown length: then it may end before `end`. */
  readonly isEndKnown: boolean;
  readonly stall: StallLimits;
  readonly signal: AbortSignal;
  readonly onBytes: () => void;
}

/** Copies a body into a partial file, a chunk at a time. @throws TransferFault, or the signal's reason */
export async function copyBody(response: FileResponse, target: CopyTarget): Promise<void> {
  const { part, cursor, end, signal } = target;
  const clock = new StallClock(response.body, target.stall);
  let isOver = false;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      const fitting = chunk.subarray(0, end - cursor.position);
      await clock.whileWriting(chunk.length, () => part.write(fitting, cursor.position));
      cursor.position += fitting.length;
      target.onBytes();
      isOver = fitting.length < chunk.length;
      if (isOver) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asFault(error);
  } finally {
    clock.stop();
    if (!response.body.readableEnded) response.body.destroy();
  }
  signal.throwIfAborted();
  if (isOver) throw new TransferFault(target.overrun, `more than the ${end} bytes that were announced arrived`);
  if (target.isEndKnown && cursor.position < end) {
    throw new TransferFault('network', `the answer ended ${end - cursor.position} bytes early`, { isRetryable: true });
  }
}
