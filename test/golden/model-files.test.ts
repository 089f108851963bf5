import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../app/architectures/inspect-checkpoint.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { writeSafetensors } from '../../app/checkpoints/safetensors-writer.ts';
import { expectClose, readNamed } from '../support/networks/close-tensors.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A file of good.safetensors, which generate.py made with PyTorch. */
interface GoodFile {
  readonly name: string;
  /** Whose input it is to be given. */
  readonly network: string;
  /** What PyTorch answered. */
  readonly answer: string;
  /** Names that inspect is to tell of as left out. */
  readonly left_out?: readonly string[];
}

const FIXTURES = fileURLToPath(new URL('../fixtures/model-files/', import.meta.url));
const PACKED = join(FIXTURES, 'good.safetensors');
const FILES = JSON.parse(readFileSync(join(FIXTURES, 'good.json'), 'utf8')) as readonly GoodFile[];
/** What sums in another order make. */
const TOLERANCE = 5e-6;

let folder: TemporaryFolder;
let child: NetworkProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  child = new NetworkProcess();
  const packed = readFileSync(PACKED);
  const { tensors } = openCheckpoint(PACKED);
  for (const [i, { name }] of FILES.entries()) {
    const info = tensors.get(`file ${i}`);
    if (!info) throw new Error(`no file ${i}`);
    writeFileSync(join(folder.path, name), packed.subarray(info.offset, info.offset + (info.shape[0] ?? 0)));
  }
  for (const network of new Set(FILES.map((file) => file.network))) {
    const { shape, values } = readNamed(PACKED, `input ${network}`);
    writeSafetensors(inputFile(network), new Map([['input', { shape, dtype: 'float32', data: values }]]));
  }
});

function inputFile(network: string): string {
  return join(folder.path, `input-${network}.safetensors`);
}

afterAll(async () => {
  await child.close();
  await folder.remove();
});

describe('Checkpoints as people have them answer as PyTorch does', () => {
  it.each(FILES)('$name', async ({ name, network, answer, left_out: leftOut = [] }) => {
    const checkpoint = join(folder.path, name);
    const [input, output] = [inputFile(network), join(folder.path, 'output.safetensors')];
    expect(await child.run({ kind: 'run-network', checkpoint, input, output })).toBeUndefined();
    expectClose(readNamed(output, 'output'), readNamed(PACKED, `output ${answer}`), TOLERANCE);
    expect(inspectCheckpoint(checkpoint).left_out ?? []).toEqual(expect.arrayContaining([...leftOut]));
  });
});
