import type { BitDepth, Samples } from '../image.ts';
import { RESAMPLE_MODULE } from './resample-module.ts';

/** What `assembly/` exports, where each has its description. All arguments are integers; most are addresses. */
export interface Kernels {
  weighRows8: (
    ...of: [
      rows: number,
      length: number,
      lows: number,
      highs: number,
      taps: number,
      sums: number,
      target: number,
      reach: number,
    ]
  ) => void;
  addRows16: (...of: [rows: number, length: number, weights: number, taps: number, sums: number]) => void;
  roundSums16: (sums: number, length: number, target: number) => void;
  weighColumnsGray8: WeighColumns;
  weighColumnsGrayAlpha8: WeighColumns;
  weighColumnsRgb8: WeighColumns;
  weighColumnsRgba8: WeighColumns;
  weighColumns16: WeighColumns;
  weighColumnsGray16: WeighColumns;
  pickColumns: (...of: [row: number, columns: number, count: number, size: number, target: number]) => void;
  premultiplyGrayAlpha8: (samples: number, bytes: number) => void;
  premultiplyRgba8: (samples: number, bytes: number) => void;
  premultiply16: (samples: number, bytes: number, channels: number) => void;
  unpremultiplyGrayAlpha8: (samples: number, bytes: number) => void;
  unpremultiplyRgba8: (samples: number, bytes: number) => void;
  unpremultiply16: (samples: number, bytes: number, channels: number) => void;
}

type WeighColumns = (columns: number, source: number, target: number, rows: number) => void;

interface KernelExports extends Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow: (pages: number) => number };
}

/** What is used of WebAssembly: neither Node's types nor the language's tell of it. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

const PAGE = 65536;
/** Kernels work by up to 16 samples: so much past the end of any array is theirs to read and to spoil. */
const SLACK = 64;
const ALIGNMENT = 16;

let compiled: object | undefined;

/**
 * The kernels of `assembly/`, with a memory of their own: what is allocated stays until nobody knows the object. Compiled when first
 * asked for, once in a process.
 */
export class KernelMemory {
  readonly kernels: Kernels;
  readonly #memory: KernelExports['memory'];
  #used = ALIGNMENT; // nothing lies at 0

  constructor() {
    const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface }).WebAssembly;
    compiled ??= new Module(Uint8Array.from(atob(RESAMPLE_MODULE), (character) => character.charCodeAt(0)));
    const exports = new Instance(compiled).exports as KernelExports;
    this.kernels = exports;
    this.#memory = exports.memory;
  }

  /** The address of so many bytes, which are zeros. Views that were taken before are void. */
  allocate(bytes: number): number {
    const address = this.#used;
    this.#used = Math.ceil((address + bytes + SLACK) / ALIGNMENT) * ALIGNMENT;
    const missing = this.#used - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  /** The address of a copy of a table. */
  put(table: Int16Array | Int32Array | Float64Array): number {
    const address = this.allocate(table.byteLength);
    this.bytes(address, table.byteLength).set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
    return address;
  }

  /** A view of `length` samples, void when something more is allocated. */
  samples(address: number, length: number, depth: BitDepth): Samples {
    const { buffer } = this.#memory;
    return depth === 16 ? new Uint16Array(buffer, address, length) : new Uint8Array(buffer, address, length);
  }

  /** A view of bytes, likewise. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  /** Copies bytes from one address to another; they may overlap. */
  move(from: number, to: number, bytes: number): void {
    new Uint8Array(this.#memory.buffer).copyWithin(to, from, from + bytes);
  }
}
