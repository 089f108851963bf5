import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import type { ReadTensor } from '../networks/close-tensors.ts';
import { readNamed } from '../networks/close-tensors.ts';

/** A file of good.safetensors, which generate.py made with PyTorch. */
export interface GoodFile {
  readonly name: string;
  /** Whose input it is to be given. */
  readonly network: string;
  /** What PyTorch answered. */
  readonly answer: string;
  /** Names that inspect is to tell of as left out. */
  readonly left_out?: readonly string[];
}

const FIXTURES = fileURLToPath(new URL('../../fixtures/model-files/', import.meta.url));
const PACKED = join(FIXTURES, 'good.safetensors');

export const GOOD_FILES = JSON.parse(readFileSync(join(FIXTURES, 'good.json'), 'utf8')) as readonly GoodFile[];

/** Writes the files, and `input-NETWORK.safetensors` for each network, into a folder. */
export function unpackGoodFiles(folder: string): void {
  const packed = readFileSync(PACKED);
  const { tensors } = openCheckpoint(PACKED);
  for (const [i, { name }] of GOOD_FILES.entries()) {
    const info = tensors.get(`file ${i}`);
    if (!info) throw new Error(`no file ${i}`);
    writeFileSync(join(folder, name), packed.subarray(info.offset, info.offset + (info.shape[0] ?? 0)));
  }
  for (const network of new Set(GOOD_FILES.map((file) => file.network))) {
    const { shape, values } = readNamed(PACKED, `input ${network}`);
    const input = join(folder, `input-${network}.safetensors`);
    writeSafetensors(input, new Map([['input', { shape, dtype: 'float32', data: values }]]));
  }
}

/** What PyTorch answered. */
export function goodAnswer(answer: string): ReadTensor {
  return readNamed(PACKED, `output ${answer}`);
}
