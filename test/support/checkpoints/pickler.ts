import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import type { DType } from '../../../app/checkpoints/state-dict.ts';
import { contiguousStrides } from '../../../app/checkpoints/tensor-layout.ts';

const STORAGE_CLASS: Readonly<Record<DType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

/** The opcodes that torch.save's pickler uses, memorising what it memorises. */
export class Pickler {
  readonly #parts: Buffer[] = [Buffer.from('8002', 'hex')];
  readonly #memo = new Map<string, number>();
  #memoSize = 0;

  finish(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.from('.')]);
  }

  op(code: string): this {
    this.#parts.push(Buffer.from(code, 'latin1'));
    return this;
  }

  /** Memorises the value on the stack, which nothing will ask for. */
  put(): this {
    const index = this.#memoSize++;
    return index < 256 ? this.op(`q${String.fromCharCode(index)}`) : this.op('r').#uint32(index);
  }

  integer(value: number): this {
    if (value < 0x100) return this.op(`K${String.fromCharCode(value)}`);
    if (value < 0x10000) return this.op(`M${String.fromCharCode(value & 0xff, value >> 8)}`);
    return value < 2 ** 31 ? this.op('J').#uint32(value) : this.bigInteger(BigInt(value));
  }

  bigInteger(value: bigint): this {
    const bytes = Buffer.alloc(Math.floor(value.toString(2).length / 8) + 1);
    for (let i = 0, rest = value; i < bytes.length; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    this.op(`\u008a${String.fromCharCode(bytes.length)}`);
    this.#parts.push(bytes);
    return this;
  }

  string(text: string): this {
    return this.#once(`s${text}`, () => {
      const bytes = Buffer.from(text);
      this.op('X').#uint32(bytes.length);
      this.#parts.push(bytes);
    });
  }

  global(module: string, name: string): this {
    return this.#once(`c${module} ${name}`, () => void this.op(`c${module}\n${name}\n`));
  }

  integers(values: readonly number[]): this {
    if (values.length === 0) return this.op(')');
    if (values.length > 3) this.op('(');
    for (const value of values) this.integer(value);
    return this.op(values.length > 3 ? 't' : String.fromCharCode(0x84 + values.length)).put();
  }

  emptyOrderedDict(): this {
    return this.global('collections', 'OrderedDict').op(')R').put();
  }

  #once(key: string, write: () => void): this {
    const known = this.#memo.get(key);
    if (known !== undefined)
      return known < 256 ? this.op(`h${String.fromCharCode(known)}`) : this.op('j').#uint32(known);
    write();
    this.#memo.set(key, this.#memoSize);
    return this.put();
  }

  #uint32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#parts.push(bytes);
    return this;
  }
}

export interface StoredTensor {
  readonly name: string;
  readonly key: string;
  readonly tensor: TensorData;
}

/** A tensor as torch.save pickles it; the storages lie elsewhere in the file. */
export function pickleTensor(pickler: Pickler, { key, tensor }: StoredTensor, isLegacy: boolean): void {
  const { shape, dtype } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  pickler.global('torch._utils', '_rebuild_tensor_v2').op('((').string('storage').global('torch', STORAGE_CLASS[dtype]);
  pickler.string(key).string('cpu').integer(count);
  if (isLegacy) pickler.op('N'); // no view
  pickler.op('t').put().op('Q').integer(0).integers(shape).integers(contiguousStrides(shape)).op('\u0089');
  pickler.emptyOrderedDict().op('t').put().op('R').put();
}
