import { tmpdir } from 'node:os';
import { UnknownNetworkError } from '../architectures/errors.ts';
import { InferenceError } from '../inference/errors.ts';
import type { Tensor } from '../inference/session.ts';
import { Session } from '../inference/session.ts';
import type { InputCandidate } from './declared-picture.ts';
import { inputCandidates } from './declared-picture.ts';
import type { OnnxModel } from './onnx-model.ts';
import { readOnnxModel } from './onnx-model.ts';
import { pictureTensor } from './picture-tensor.ts';
import type { TriedModel } from './measure-picture-model.ts';
import { costOf, measureNeeds } from './measure-picture-model.ts';
import type { PictureEnd, PictureLayout, PictureModel } from './picture-model.ts';
import { LEAST_SIDE } from './picture-model.ts';
import { fullOfOutput } from './value-range.ts';

/** What sides may have to be a multiple of: folded pixels, windows, levels of a U. */
const MULTIPLES = [1, 2, 4, 8, 16, 32, 64];
/** A picture of one size that is larger is not run: what comes out its file or the runtime has to say. */
const MOST_TRIED_PIXELS = 128 * 128;
const MAX_SCALE = 16;

/** What came out of a model for a picture of a size. */
interface Trial {
  readonly candidate: InputCandidate;
  readonly width: number;
  readonly height: number;
  readonly dims: readonly number[];
  readonly element: PictureEnd['element'];
}

/**
 * Finds out what an ONNX file does with a picture, by having it enlarge small ones: its scale, and what sides must be a multiple of.
 * Runs a stranger's graph, and so belongs into a process that may be lost.
 * @throws CheckpointError, UnknownNetworkError, InferenceError
 */
export async function probePictureModel(bytes: Buffer): Promise<PictureModel> {
  const model = readOnnxModel(bytes);
  const candidates = inputCandidates(model);
  const session = await Session.open(bytes, { weightsFolder: tmpdir(), device: 'cpu' });
  let refusal: Error | undefined;
  for (const [candidate, multipleOf] of candidates.flatMap(waysOf)) {
    try {
      return await measured(session, model, candidate, multipleOf);
    } catch (error) {
      if (!(error instanceof InferenceError) && !(error instanceof UnknownNetworkError)) throw error;
      refusal ??= error;
    }
  }
  const why = refusal?.message ?? 'it was not run';
  throw new UnknownNetworkError(`this ONNX model makes no picture of a picture: ${why}`, { cause: refusal });
}

/** With the sides that are to be tried; of a picture of one size there is one way. */
function waysOf(candidate: InputCandidate): (readonly [InputCandidate, number])[] {
  const isFixed = candidate.width !== null && candidate.height !== null;
  return (isFixed ? [1] : MULTIPLES).map((multipleOf) => [candidate, multipleOf] as const);
}

async function measured(
  session: Session,
  model: OnnxModel,
  candidate: InputCandidate,
  multipleOf: number,
): Promise<PictureModel> {
  const { result: trial, cost } = await costOf(() => tryPicture(session, model, candidate, multipleOf));
  const tried = described(model, trial, multipleOf);
  const pixels = trial.width * trial.height;
  if (pixels > MOST_TRIED_PIXELS) return { ...tried, needs: { workingBytesPerPixel: 0 } }; // nothing was run
  return { ...tried, needs: await measureNeeds(session, tried, { ...cost, pixels }) };
}

async function tryPicture(
  session: Session,
  model: OnnxModel,
  candidate: InputCandidate,
  multipleOf: number,
): Promise<Trial> {
  const [output] = model.outputs;
  const odd = Math.ceil(LEAST_SIDE / multipleOf) | 1;
  const { input, width = odd * multipleOf, height = odd * multipleOf } = withoutNulls(candidate);
  const known = width * height > MOST_TRIED_PIXELS ? session.outputShape(output?.name ?? '') : undefined;
  if (known) return { candidate, width, height, dims: known, element: input.element };
  const outputs = await session.run({ [input.name]: pictureTensor(input, { width, height }) });
  const made = outputs[output?.name ?? ''];
  if (!made) throw new UnknownNetworkError('it gives nothing');
  return { candidate, width, height, dims: made.dims, element: elementOf(made) };
}

function withoutNulls({ input, width, height }: InputCandidate) {
  return { input, ...(width !== null && { width }), ...(height !== null && { height }) };
}

function elementOf({ type }: Tensor): PictureEnd['element'] {
  if (type === 'float32' || type === 'float16' || type === 'uint8') return type;
  throw new UnknownNetworkError(`it gives ${type}, which is no picture`);
}

function described(model: OnnxModel, trial: Trial, multipleOf: number): TriedModel {
  const { candidate, element } = trial;
  const { layout, channels, scale } = pictureIn(trial);
  const name = model.outputs[0]?.name ?? '';
  const full = element === 'uint8' ? 255 : fullOfOutput(model, name);
  const { input, width, height } = candidate;
  return {
    input,
    output: { name, channels, layout, element, full },
    scale,
    width,
    height,
    multipleOf,
    opset: model.opset,
    tensors: model.tensors,
    parameterCount: model.parameterCount,
  };
}

/** Where the picture lies in what came out, and how many times as large it is. @throws UnknownNetworkError */
function pictureIn({ dims, width, height, candidate }: Trial) {
  const layouts: readonly PictureLayout[] = candidate.input.layout === 'nchw' ? ['nchw', 'nhwc'] : ['nhwc', 'nchw'];
  for (const layout of layouts) {
    const [rows = 0, columns = 0, channels = 0] = layout === 'nchw' ? [dims[2], dims[3], dims[1]] : dims.slice(1);
    const scale = rows / height;
    const isScaled = Number.isInteger(scale) && scale >= 1 && scale <= MAX_SCALE && columns === width * scale;
    const isPicture = channels === 1 || channels === 3 || channels === 4;
    if (dims.length === 4 && dims[0] === 1 && isScaled && isPicture) return { layout, channels, scale } as const;
  }
  throw new UnknownNetworkError(`of ${width} x ${height} pixels it makes a tensor of ${dims.join(' x ')}`);
}
