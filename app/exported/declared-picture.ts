import { UnknownNetworkError } from '../architectures/errors.ts';
import type { DeclaredValue, OnnxModel } from './onnx-model.ts';
import type { PictureEnd, PictureLayout } from './picture-model.ts';
import { fullOfInput } from './value-range.ts';

/** A way to feed a picture to a model. */
export interface InputCandidate {
  readonly input: PictureEnd;
  /** The only ones that it takes; null where it takes any. */
  readonly width: number | null;
  readonly height: number | null;
}

/** TensorProto.DataType. */
const ELEMENTS: ReadonlyMap<number, PictureEnd['element']> = new Map([
  [1, 'float32'],
  [2, 'uint8'],
  [10, 'float16'],
]);
const OF_PICTURES: readonly (number | null)[] = [1, 3, 4];

/**
 * How a picture may be fed to a model, the likeliest way first, by what its file declares.
 * @throws UnknownNetworkError where it does not take one picture and give one
 */
export function inputCandidates(model: OnnxModel): InputCandidate[] {
  const [input, ...otherInputs] = model.inputs;
  if (input === undefined || otherInputs.length > 0) throw notOne('takes', model.inputs);
  if (model.outputs.length !== 1) throw notOne('gives', model.outputs);
  const element = ELEMENTS.get(input.elementCode);
  if (element === undefined) {
    throw new UnknownNetworkError(
      'this ONNX model takes numbers of a kind that pictures are not fed in; float32, float16 and uint8 are',
    );
  }
  const full = element === 'uint8' ? 255 : fullOfInput(model, input.name);
  return layoutsOf(input).map(({ layout, channels }) => ({
    input: { name: input.name, channels, layout, element, full },
    ...fixedSides(input, layout),
  }));
}

function notOne(verb: string, values: readonly DeclaredValue[]): UnknownNetworkError {
  return new UnknownNetworkError(
    `this ONNX model ${verb} ${values.length} tensors; an upscaler takes one picture and gives one`,
  );
}

type ChannelsAt = Pick<PictureEnd, 'layout' | 'channels'>;

function layoutsOf({ shape }: DeclaredValue): ChannelsAt[] {
  const anywhere = [...at('nchw', 3), ...at('nchw', 1), ...at('nhwc', 3), ...at('nchw', 4)];
  if (shape === undefined) return anywhere;
  const [batch = null, second = null, , last = null] = shape;
  if (shape.length !== 4 || (batch !== null && batch !== 1)) {
    const shown = shape.map((size) => size ?? '?').join(' x ');
    throw new UnknownNetworkError(
      `this ONNX model takes a tensor of ${shown}; pictures are of 1 x channels x height x width, or with the channels last`,
    );
  }
  const told = [...at('nchw', second), ...at('nhwc', last)];
  if (told.length > 0) return told;
  if (second === null) return anywhere;
  throw new UnknownNetworkError(`this ONNX model takes ${second} channels; pictures have 1, 3 or 4`);
}

function at(layout: PictureLayout, channels: number | null): ChannelsAt[] {
  return OF_PICTURES.includes(channels) ? [{ layout, channels: channels as PictureEnd['channels'] }] : [];
}

function fixedSides({ shape = [] }: DeclaredValue, layout: PictureLayout): Pick<InputCandidate, 'width' | 'height'> {
  const [height = null, width = null] = layout === 'nchw' ? shape.slice(2) : shape.slice(1, 3);
  return { width, height };
}
