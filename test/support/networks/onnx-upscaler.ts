import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { recognise } from '../../../app/architectures/registry.ts';
import type { Dim } from '../../../app/onnx/graph.ts';
import { Graph } from '../../../app/onnx/graph.ts';
import type { ElementType, ProtoGraph, ProtoInitializer } from '../../../app/onnx/model-proto.ts';
import { serializeModel } from '../../../app/onnx/model-proto.ts';
import { Value } from '../../../app/onnx/value.ts';
import { readSmallNetworks, writeSmallNetwork } from './small-networks.ts';

/** How somebody exported a network. */
export interface OnnxExport {
  /** A network of test/fixtures/networks. */
  readonly network: string;
  readonly element?: 'float32' | 'float16' | 'uint8';
  readonly layout?: 'nchw' | 'nhwc';
  /** The only sides that it takes; by default any. */
  readonly width?: number;
  readonly height?: number;
  /** What full brightness is. */
  readonly full?: 1 | 255;
  /** Whether its file says how many channels there are. */
  readonly isOpen?: boolean;
  /** The file beside it that its weights lie in. */
  readonly dataFile?: string;
}

/** The file of a network as it is, and as somebody exported it: NAME.safetensors and NAME.onnx in a folder. */
export function writeOnnxUpscaler(folder: string, name: string, options: OnnxExport): Uint8Array {
  const checkpoint = join(folder, `${name}.safetensors`);
  const network = readSmallNetworks().find((one) => one.name === options.network);
  if (!network) throw new Error(`no network ${options.network}`);
  writeSmallNetwork(checkpoint, network, 'safetensors');
  const bytes = exported(checkpoint, { ...options, folder });
  writeFileSync(join(folder, `${name}.onnx`), bytes);
  return bytes;
}

function exported(checkpoint: string, options: OnnxExport & { readonly folder: string }): Uint8Array {
  const { element = 'float32', layout = 'nchw', width = null, height = null, full = 1, isOpen = false } = options;
  const dict = openCheckpoint(checkpoint);
  const network = recognise(dict);
  const graph = new Graph();
  const { inputChannels: channels } = network;
  const dims: Dim[] = layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
  const given = graph.input('picture', element, dims).cast('float32');
  const counted = element === 'uint8' || full === 255 ? given.divide(graph.constant(255)) : given;
  const made = network.build(layout === 'nchw' ? counted : counted.transpose([0, 3, 1, 2]), {});
  if (!(made instanceof Value)) throw new Error('no picture');
  const picture = element === 'uint8' || full === 255 ? made.clip(0, 1).scale(255) : made;
  const numbers = element === 'uint8' ? picture.round().cast('uint8') : picture.cast(element);
  graph.output('enlarged', layout === 'nchw' ? numbers : numbers.transpose([0, 2, 3, 1]));
  const whole = selfContained(graph.contents(), (name) => readTensor(dict, name));
  const inputs = whole.inputs.map((input) => (isOpen ? { ...input, shape: ['n', 'c', 'h', 'w'] } : input));
  return serializeModel({ ...inTwoFiles(whole, options), inputs });
}

/** With the weights in a file of their own, where one is named. */
function inTwoFiles(
  graph: ProtoGraph,
  { dataFile, folder }: { readonly dataFile?: string; readonly folder: string },
): ProtoGraph {
  if (dataFile === undefined) return graph;
  const parts: Uint8Array[] = [];
  let offset = 0;
  const initializers = graph.initializers.map((initializer): ProtoInitializer => {
    if (!(initializer.data instanceof Uint8Array) || initializer.data.length < 1000) return initializer;
    const { length } = initializer.data;
    parts.push(initializer.data);
    offset += length;
    return { ...initializer, data: { location: dataFile, offset: offset - length, length } };
  });
  writeFileSync(join(folder, dataFile), Buffer.concat(parts));
  return { ...graph, initializers };
}

/** With the weights in the file itself. */
function selfContained(graph: ProtoGraph, read: (name: string) => Float32Array): ProtoGraph {
  const initializers = graph.initializers.map((initializer): ProtoInitializer => {
    if (initializer.data instanceof Uint8Array) return initializer;
    const { buffer, byteOffset, byteLength } = read(initializer.name);
    return {
      ...initializer,
      type: 'float32' satisfies ElementType,
      data: new Uint8Array(buffer, byteOffset, byteLength),
    };
  });
  return { ...graph, initializers };
}
