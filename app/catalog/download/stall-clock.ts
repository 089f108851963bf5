import type { Readable } from 'node:stream';
import { TransferFault } from './transfer-fault.ts';

export interface StallLimits {
  /** The window over which the rate is taken, in ms. */
  readonly windowMs: number;
  readonly bytesPerSecond: number;
}

/**
 * Ends a body that delivers too little: a connection that says nothing, and one that drips. Time that we spend on writing
 * does not count against the server.
 */
export class StallClock {
  readonly #body: Readable;
  readonly #limits: StallLimits;
  readonly #timer: NodeJS.Timeout;
  #received = 0;
  #isWriting = false;

  constructor(body: Readable, limits: StallLimits) {
    this.#body = body;
    this.#limits = limits;
    this.#timer = setInterval(() => this.#check(), limits.windowMs);
    this.#timer.unref();
  }

  /** Runs a write of `bytes` that have just arrived. */
  async whileWriting(bytes: number, write: () => Promise<void>): Promise<void> {
    this.#received += bytes;
    this.#isWriting = true;
    await write();
    this.#isWriting = false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const { windowMs, bytesPerSecond } = this.#limits;
    const isEnough = this.#received >= (bytesPerSecond * windowMs) / 1000;
    if (!isEnough && !this.#isWriting) {
      const message = `only ${this.#received} bytes arrived in ${windowMs / 1000} s`;
      this.#body.destroy(new TransferFault('stalled', message, { isRetryable: true }));
    }
    this.#received = 0;
  }
}
