import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeChunks } from '../../../app/checkpoints/write-chunks.ts';
import { zipArchive } from './checkpoint-writer.ts';
import type { StoredTensor } from './pickler.ts';
import { Pickler, pickleTensor } from './pickler.ts';

/** What a trainer hands to `torch.save`: dicts in dicts, tensors, numbers, texts. */
export type Tree = null | number | string | TensorData | ReadonlyMap<string, Tree>;

/** Writes a tree as `torch.save` does, without looking for a state dict in it. */
export function writeTree(file: string, tree: Tree): void {
  const stored: StoredTensor[] = [];
  const pickler = new Pickler();
  pickleValue(pickler, tree, stored);
  writeChunks(
    file,
    zipArchive([
      ['archive/data.pkl', pickler.finish()],
      ...stored.map(({ key, tensor }): [string, Uint8Array] => [`archive/data/${key}`, bytesOf(tensor)]),
    ]),
  );
}

function pickleValue(pickler: Pickler, value: Tree, stored: StoredTensor[]): void {
  if (value === null) pickler.op('N');
  else if (typeof value === 'number') pickler.integer(value);
  else if (typeof value === 'string') pickler.string(value);
  else if ('shape' in value) {
    const entry = { name: '', key: String(stored.length), tensor: value };
    stored.push(entry);
    pickleTensor(pickler, entry, false);
  } else {
    pickler.emptyOrderedDict();
    for (const [key, inner] of value) {
      pickler.string(key);
      pickleValue(pickler, inner, stored);
      pickler.op('s');
    }
  }
}

function bytesOf({ data }: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
