import { CheckpointError } from '../errors.ts';

/** Far above any honest file (50,000 tensors: 10 MB, 1.4 million operations, 400,000 objects), low enough to end in time. */
const MAX_BYTES = 32 << 20;
const MAX_OPERATIONS = 2_500_000;
const MAX_OBJECTS = 500_000;
/** Entries that calls copy from one container into another: a short pickle can ask for the same long one again and again. */
const MAX_COPIED = 250_000;

/** What all pickles of one file may take together, in work and in memory. Every method throws once it is spent. */
export class PickleBudget {
  #bytes = 0;
  #operations = 0;
  #objects = 0;
  #copied = 0;

  /** An opcode, before it runs. */
  spendOperation(): void {
    this.#operations += 1;
    if (this.#operations > MAX_OPERATIONS) throw spent(`more than ${MAX_OPERATIONS} operations`);
  }

  /** The bytes of an opcode and of what follows it. */
  spendBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > MAX_BYTES) throw spent(`more than ${MAX_BYTES} bytes beside the weights`);
  }

  /** A value that takes memory of its own. */
  spendObject(): void {
    this.#objects += 1;
    if (this.#objects > MAX_OBJECTS) throw spent(`more than ${MAX_OBJECTS} objects`);
  }

  /** Entries about to be copied out of a container. */
  spendCopies(count: number): void {
    this.#copied += count;
    if (this.#copied > MAX_COPIED) throw spent(`calls that copy more than ${MAX_COPIED} entries`);
  }
}

function spent(detail: string): CheckpointError {
  return new CheckpointError('too-large', `the pickle holds ${detail}, which no model needs`);
}
