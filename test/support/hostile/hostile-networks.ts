import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import type { CheckpointLayout } from '../checkpoints/checkpoint-writer.ts';
import { writeCheckpoint } from '../checkpoints/checkpoint-writer.ts';
import { overflowingNetwork } from '../networks/overflowing-network.ts';
import { smallNetwork, smallTensors } from '../networks/small-networks.ts';
import type { HostileFile } from './hostile-file.ts';
import { safetensorsOf } from './hostile-file.ts';

type Tensors = ReadonlyMap<string, TensorData>;

const FORMATS = ['pth-zip', 'pth-legacy', 'safetensors'] as const;

/** Networks that are almost right, files that were damaged on their way, and networks of sizes that nobody trains. */
export function hostileNetworks(): readonly HostileFile[] {
  const folder = mkdtempSync(join(tmpdir(), 'hiresfix-hostile-'));
  try {
    const file = join(folder, 'file');
    const write = (tensors: Tensors, layout: CheckpointLayout): { bytes: Buffer; weights: number } => {
      writeCheckpoint(file, tensors, layout);
      const offsets = [...openCheckpoint(file).tensors.values()].map(({ offset }) => offset);
      return { bytes: readFileSync(file), weights: Math.max(...offsets) };
    };
    return [...damaged(write), ...changed(write), ...oversized()];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Write = (tensors: Tensors, layout: CheckpointLayout) => { readonly bytes: Buffer; readonly weights: number };

const good = (): Map<string, TensorData> => {
  const network = smallNetwork('compact-x2');
  return smallTensors(network);
};

function* damaged(write: Write): Generator<HostileFile> {
  for (const format of FORMATS) {
    const { bytes, weights } = write(good(), { format });
    for (const share of [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999]) {
      const name = `cut-${format}-${share}.${format === 'safetensors' ? 'safetensors' : 'pth'}`;
      yield { name, bytes: bytes.subarray(0, Math.floor(bytes.length * share)) };
    }
    if (format !== 'pth-zip') continue;
    for (let bit = 0; bit < 8; bit++) {
      const copy = Buffer.from(bytes);
      copy[weights + 3] = (copy[weights + 3] ?? 0) ^ (1 << bit);
      yield { name: `flipped-bit-${bit}.pth`, bytes: copy };
    }
  }
}

function* changed(write: Write): Generator<HostileFile> {
  const format = 'pth-zip';
  for (const missing of good().keys()) {
    const rest = new Map([...good()].filter(([name]) => name !== missing));
    yield { name: `lacks-${missing}.pth`, bytes: write(rest, { format }).bytes };
  }
  for (const value of [NaN, Infinity, -Infinity]) {
    const tensors = good();
    const { shape } = tensors.get('body.2.bias') ?? { shape: [] };
    const data = new Float32Array(shape[0] ?? 0).fill(value);
    tensors.set('body.2.bias', { shape, dtype: 'float32', data });
    for (const other of FORMATS) {
      const name = `weights-${value}-${other}.${other === 'safetensors' ? 'safetensors' : 'pth'}`;
      yield { name, bytes: write(tensors, { format: other }).bytes };
    }
  }
  const one = { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) } as const;
  for (const name of ['extra', 'body.9.weight', 'f_HR_conv1.weight', '\u001b[2J', 'A'.repeat(1 << 20)]) {
    yield {
      name: `extra-${name.length}-${name.charCodeAt(0)}.pth`,
      bytes: write(good().set(name, one), { format }).bytes,
    };
  }
  for (const answer of ['infinity', 'NaN'] as const) {
    yield { name: `overflows-${answer}.pth`, bytes: write(overflowingNetwork(answer), { format }).bytes };
  }
}

const entries = (names: readonly string[], shape: readonly number[] = [0]) =>
  safetensorsOf(
    JSON.stringify(Object.fromEntries(names.map((name) => [name, { dtype: 'F32', shape, data_offsets: [0, 0] }]))),
  );
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const RRDB = ['conv_first.weight', 'conv_body.weight', 'conv_last.weight'];

function* oversized(): Generator<HostileFile> {
  const networks: Readonly<Record<string, readonly string[]>> = {
    'rrdb-49000-blocks': [...RRDB, ...range(49_000).map((i) => `body.${i}.rdb1.conv1.weight`)],
    'rrdb-6000-blocks': [...RRDB, ...range(6000).map((i) => `body.${i}.rdb1.conv1.weight`)],
    'old-rrdb-20000-blocks': ['model.0.weight', ...range(20_000).map((i) => `model.1.sub.${i}.RDB1.conv1.0.weight`)],
    'compact-40000-layers': range(40_000).map((i) => `body.${i}.weight`),
    'nafnet-20000-levels': [
      ...['intro.weight', 'ending.weight', 'downs.0.weight', 'ups.0.0.weight'],
      ...range(20_000).map((i) => `encoders.${i}.0.conv1.weight`),
    ],
    'codeformer-blocks': [
      ...['position_emb', 'idx_pred_layer.1.weight', 'quantize.embedding.weight'],
      ...range(45_000).map((i) => `encoder.blocks.${i}.weight`),
    ],
    'swinir-10000-layers': [
      ...['conv_first.weight', 'patch_embed.norm.weight'],
      ...range(10_000).map((i) => `layers.${i}.residual_group.blocks.0.attn.relative_position_bias_table`),
    ],
    'unknown-50000': range(50_000).map((i) => `x.${i}.y`),
    'too-many-60000': range(60_000).map((i) => `x.${i}.y`),
    'index-huge': ['body.0.weight', 'body.1.weight', 'body.99999999999999999999.weight'],
    'numbers-only': range(1000).map(String),
  };
  for (const [name, names] of Object.entries(networks))
    yield { name: `net-${name}.safetensors`, bytes: entries(names) };
  yield { name: 'net-scale-512.safetensors', bytes: pixelShuffle(512) };
  yield { name: 'net-layers-4000.safetensors', bytes: compactOf(4000) };
}

/** A Compact of one feature and one convolution, whose head is `factor` squared pictures. */
function pixelShuffle(factor: number): Buffer {
  return shaped({
    'body.0.weight': [1, 3, 3, 3],
    'body.0.bias': [1],
    'body.1.weight': [1],
    'body.2.weight': [3 * factor ** 2, 1, 3, 3],
    'body.2.bias': [3 * factor ** 2],
  });
}

/** A Compact of so many layers of one feature. */
function compactOf(layers: number): Buffer {
  const shapes: Record<string, readonly number[]> = {};
  for (let i = 0; i <= 2 * layers; i++) {
    const isLast = i === 2 * layers;
    if (i % 2 === 1) shapes[`body.${i}.weight`] = [1];
    else {
      shapes[`body.${i}.weight`] = [isLast ? 12 : 1, i === 0 ? 3 : 1, 3, 3];
      shapes[`body.${i}.bias`] = [isLast ? 12 : 1];
    }
  }
  return shaped(shapes);
}

/** A .safetensors of zeros. */
function shaped(shapes: Readonly<Record<string, readonly number[]>>): Buffer {
  let at = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  return safetensorsOf(JSON.stringify(Object.fromEntries(header)), Buffer.alloc(at));
}
