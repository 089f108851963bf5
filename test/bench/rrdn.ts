import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecognisedNetwork } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import type { TensorData } from '../../app/checkpoints/safetensors-writer.ts';
import { writeSafetensors } from '../../app/checkpoints/safetensors-writer.ts';
import { conv3x3 } from '../../app/onnx/convolution.ts';
import type { Value } from '../../app/onnx/value.ts';
import { Weights } from '../../app/onnx/weights.ts';

interface KerasModel {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[];
  }[];
}

/** The scale of the model that is read. */
const SCALE = 4;
const COLORS = 3;

/**
 * Writes the weights of an RRDN as TensorFlow.js keeps it (a folder with `model.json`) as a checkpoint: kernels HWIO as OIHW, and
 * what goes into `depthToSpace` in the order of PyTorch's pixel shuffle.
 */
export function writeRrdnCheckpoint(folder: string, file: string): void {
  const { weightsManifest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as KerasModel;
  const tensors = new Map<string, TensorData>();
  for (const { paths, weights } of weightsManifest) {
    const bytes = Buffer.concat(paths.map((path) => readFileSync(join(folder, path))));
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      if (dtype !== 'float32') throw new Error(`${name} is of ${dtype}`);
      const count = shape.reduce((product, size) => product * size, 1);
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count));
      at += 4 * count;
      const [layer = '', part] = name.split('/');
      const order = layer === 'PreShuffle' ? shuffled : (output: number) => output;
      const isKernel = part === 'kernel';
      tensors.set(
        `${layer}.${isKernel ? 'weight' : 'bias'}`,
        isKernel ? kernel(values, shape, order) : bias(values, order),
      );
    }
  }
  writeSafetensors(file, tensors);
}

/** The RRDN of such a checkpoint: residual-in-residual dense blocks with ReLU (idealo/image-super-resolution). */
export function rrdnOf(file: string): RecognisedNetwork {
  const weights = Weights.of(openCheckpoint(file));
  const count = (name: (index: number) => string): number => {
    let index = 1;
    while (weights.has(`${name(index)}.weight`)) index++;
    return index - 1;
  };
  const sizes = {
    blocks: count((t) => `F_${t}_1_1`),
    dense: count((d) => `F_1_${d}_1`),
    convs: count((c) => `F_1_1_${c}`),
  };
  return {
    architecture: 'RRDN',
    scale: SCALE,
    inputChannels: COLORS,
    outputChannels: COLORS,
    parameters: sizes,
    multipleOf: 1,
    halo: 10,
    workingBytesPerPixel: 20_000,
    weights,
    assertAllRead: () => weights.assertAllRead(),
    build: (image) => build(image, weights, sizes),
  };
}

function build(
  image: Value,
  weights: Weights,
  { blocks, dense, convs }: { readonly blocks: number; readonly dense: number; readonly convs: number },
): Value {
  const denseBlock = (x: Value, name: string): Value => {
    let seen = x;
    for (let c = 1; c <= convs; c++) seen = seen.concat([conv3x3(seen, weights.at(`F_${name}_${c}`)).relu()]);
    return conv3x3(seen, weights.at(`LFF_${name}`)).scale(0.2);
  };
  const residualBlock = (x: Value, t: number): Value => {
    let y = x;
    for (let d = 1; d <= dense; d++) {
      y = x.graph.region('dense-block', y, (input) => denseBlock(input, `${t}_${d}`)).add(y);
    }
    return y.scale(0.2).add(x);
  };
  const shallow = conv3x3(image, weights.at('Pre_blocks_conv'));
  const residual = image.graph.region('trunk', shallow, (x) =>
    Array.from({ length: blocks }, (_, t) => t + 1).reduce(residualBlock, x),
  );
  const deep = conv3x3(residual, weights.at('post_blocks_conv')).add(shallow);
  return conv3x3(conv3x3(deep, weights.at('PreShuffle')).pixelShuffle(SCALE), weights.at('SR'));
}

/** Where output channel `c r r + dy r + dx` lies in TensorFlow's order, `(dy r + dx) C + c`. */
function shuffled(output: number): number {
  return (output % SCALE ** 2) * COLORS + Math.floor(output / SCALE ** 2);
}

function kernel(values: Float32Array, shape: readonly number[], order: (output: number) => number): TensorData {
  const [height = 0, width = 0, inputs = 0, outputs = 0] = shape;
  const taps = height * width;
  const data = Float32Array.from(values, (_, at) => {
    const [output, input, tap] = [Math.floor(at / (inputs * taps)), Math.floor(at / taps) % inputs, at % taps];
    return values[(tap * inputs + input) * outputs + order(output)] ?? 0;
  });
  return { shape: [outputs, inputs, height, width], dtype: 'float32', data };
}

function bias(values: Float32Array, order: (output: number) => number): TensorData {
  return { shape: [values.length], dtype: 'float32', data: values.map((_, output) => values[order(output)] ?? 0) };
}
