import { tmpdir } from 'node:os';
import type { ImageGraphShape } from '../architectures/image-graph.ts';
import { imagesOf, outputPixels } from '../architectures/image-graph.ts';
import { imagesSeen } from '../architectures/picture-channels.ts';
import type { Channels, ImageShape, Samples } from '../imaging/image.ts';
import { croppedRows, rowsOf } from '../imaging/rows.ts';
import { padReflect } from '../imaging/tiling.ts';
import type { SessionDevice } from '../inference/devices.ts';
import type { Tensor } from '../inference/session.ts';
import { Session } from '../inference/session.ts';
import { Graph } from '../onnx/graph.ts';
import type { Value } from '../onnx/value.ts';
import type { PictureModel } from './picture-model.ts';
import { LEAST_SIDE } from './picture-model.ts';

/** The kind of pixels that a session is for; pictures may have any size. */
export type PixelsShape = Pick<ImageGraphShape, 'channels' | 'depth' | 'isOpaque' | 'views'>;

interface Sessions {
  /** `pixels` to `images`. */
  readonly before: Session;
  readonly network: Session;
  /** `images` to `pixels_out` and `has_nan`. */
  readonly after: Session;
}

/**
 * An ONNX file of somebody's as a session of pixels: what stands before and after a network of ours in one graph (layout, range,
 * gray, alpha, rounding) stands in small graphs of its own here, since operators of two versions cannot be in one. Images go through
 * the network one by one; sides that it does not take are padded by reflection, and what comes of the padding is cut off.
 */
export class PictureModelSession {
  readonly device: SessionDevice;
  readonly #model: PictureModel;
  readonly #shape: PixelsShape;
  readonly #sessions: Sessions;

  private constructor(model: PictureModel, shape: PixelsShape, sessions: Sessions) {
    this.device = sessions.network.device;
    this.#model = model;
    this.#shape = shape;
    this.#sessions = sessions;
  }

  /** @throws DeviceUnavailableError, InferenceError */
  static async open(
    bytes: Uint8Array,
    model: PictureModel,
    { shape, device }: { readonly shape: PixelsShape; readonly device: SessionDevice },
  ): Promise<PictureModelSession> {
    const weightsFolder = tmpdir(); // nothing of such a model lies in a file of its own
    const network = await Session.open(bytes, { weightsFolder, device });
    const [before, after] = await Promise.all(
      [graphBefore(model, shape), graphAfter(model, shape)].map((graph) =>
        Session.open(graph.serialize(), { weightsFolder, device: 'cpu' }),
      ),
    );
    if (!before || !after) throw new RangeError('two graphs make two sessions');
    return new PictureModelSession(model, shape, { before, network, after });
  }

  /** `pixels` [H, W, C] to `pixels_out`, `scale` times as large, and `has_nan`. @throws InferenceError */
  async run({ pixels }: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const { before, after } = this.#sessions;
    const [height = 0, width = 0] = pixels?.dims ?? [];
    const padded = paddedPixels(pixels?.data as Samples, { ...this.#shape, width, height }, this.#model);
    const { images } = await before.run({ pixels: padded });
    if (!images) throw new RangeError('a graph gives its output');
    const made = await this.#runNetwork(images);
    const { pixels_out: picture, ...marks } = await after.run({ images: made });
    const { scale } = this.#model;
    return picture ? { ...marks, pixels_out: cropped(picture, width * scale, height * scale) } : marks;
  }

  async release(): Promise<void> {
    for (const session of Object.values(this.#sessions) as Session[]) await session.release();
  }

  async #runNetwork({ type, data, dims }: Tensor): Promise<Tensor> {
    const { input, output } = this.#model;
    const [count = 1, ...one] = dims;
    const length = data.length / count;
    const made: Tensor[] = [];
    for (let image = 0; image < count; image += 1) {
      const part = data.subarray(image * length, (image + 1) * length);
      const outputs = await this.#sessions.network.run({ [input.name]: { type, data: part, dims: [1, ...one] } });
      const answer = outputs[output.name];
      if (answer) made.push(answer);
    }
    return joined(made);
  }
}

function graphBefore({ input, output }: PictureModel, shape: PixelsShape): Graph {
  const graph = new Graph();
  const network = { inputChannels: input.channels, outputChannels: output.channels };
  const images = imagesOf(graph, network, { ...shape, width: null, height: null });
  const counted = input.full === 1 ? images : images.scale(input.full);
  const numbers = input.element === 'uint8' ? counted.round().cast('uint8') : counted.cast(input.element);
  graph.output('images', input.layout === 'nchw' ? numbers : numbers.transpose([0, 2, 3, 1]));
  return graph;
}

function graphAfter({ input, output }: PictureModel, shape: PixelsShape): Graph {
  const graph = new Graph();
  const network = { inputChannels: input.channels, outputChannels: output.channels };
  const { views = 1, isOpaque = false, channels } = shape;
  const count = views * imagesSeen(network, { channels, isOpaque });
  const isLast = output.layout === 'nhwc';
  const dims = isLast ? [count, null, null, output.channels] : [count, output.channels, null, null];
  const given: Value = graph.input('images', output.element, dims).cast('float32');
  const images = isLast ? given.transpose([0, 3, 1, 2]) : given;
  outputPixels(output.full === 1 ? images : images.scale(1 / output.full), network, {
    ...shape,
    width: null,
    height: null,
  });
  return graph;
}

/** Sides as the model takes them. */
function paddedPixels(data: Samples, shape: ImageShape, { width, height, multipleOf }: PictureModel): Tensor {
  const taken = (side: number): number => Math.ceil(Math.max(side, LEAST_SIDE) / multipleOf) * multipleOf;
  const size = { width: width ?? taken(shape.width), height: height ?? taken(shape.height) };
  const source = rowsOf({ ...shape, data });
  const rows = padReflect(source, size.width - shape.width, size.height - shape.height).readRows(0, size.height);
  return { type: shape.depth === 16 ? 'uint16' : 'uint8', data: rows, dims: [size.height, size.width, shape.channels] };
}

/** The upper left of a picture [H, W, C]. */
function cropped({ type, data, dims }: Tensor, width: number, height: number): Tensor {
  const [rows = 0, columns = 0, channels = 0] = dims;
  const depth = type === 'uint16' ? 16 : 8;
  const picture = {
    width: columns,
    height: rows,
    channels: channels as Channels,
    depth,
    data: data as Samples,
  } as const;
  const kept = croppedRows(rowsOf(picture), { x: 0, y: 0, width, height });
  return { type, data: kept.readRows(0, height), dims: [height, width, channels] };
}

/** Tensors [1, ...] of one shape as one [N, ...]. */
function joined(parts: readonly Tensor[]): Tensor {
  const [first, ...others] = parts;
  if (!first) throw new RangeError('there is at least one image');
  if (others.length === 0) return first;
  const { type, data, dims } = first;
  const whole = new (data.constructor as Float32ArrayConstructor)(data.length * parts.length);
  parts.forEach((part, at) => whole.set(part.data as Float32Array, at * data.length));
  return { type, data: whole, dims: [parts.length, ...dims.slice(1)] };
}
