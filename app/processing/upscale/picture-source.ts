import { assertBuilds } from '../../architectures/assert-builds.ts';
import { assertTakesPictures } from '../../architectures/picture-channels.ts';
import { recognise } from '../../architectures/registry.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { readOnnxFile } from '../../exported/onnx-file.ts';
import type { PictureModel } from '../../exported/picture-model.ts';
import { isOnnxName } from '../../exported/picture-model.ts';
import { PictureModelSession } from '../../exported/picture-model-session.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import { blendedValues } from '../networks/blended-weights.ts';
import { checkWeightsOnce } from '../networks/check-weights-once.ts';
import { checkpointSessions } from '../networks/checkpoint-sessions.ts';
import type { PictureNetwork, RunnerOptions } from '../networks/network-runner.ts';
import { pictureModelOf } from '../networks/picture-model-of.ts';
import type { PrecisionPlan } from '../networks/precision.ts';
import { OWN_NUMBERS } from '../networks/precision.ts';

/** The weights of one upscaler. */
export interface ModelFiles {
  readonly file: string;
  /** Blended in: `strength * file + (1 - strength) * with` (deep network interpolation). */
  readonly blend?: { readonly file: string; readonly strength: number };
}

/** In what numbers a network is to run on a device; asked once for each that is tried. */
export type ChoosePrecision = (
  network: PictureNetwork,
  device: SessionDevice,
) => PrecisionPlan | Promise<PrecisionPlan>;

/** A network for pictures, and how sessions of it are opened. */
export interface PictureSource extends Pick<RunnerOptions, 'open'> {
  readonly network: PictureNetwork;
  /** In what numbers it runs there. @throws CheckpointError, WeightsError where its int8 form cannot be made */
  readonly precisionFor: (device: SessionDevice) => Promise<PrecisionPlan>;
  /** @throws WeightsError where weights are missing, too many or of wrong shapes, which else shows when a session is loaded */
  assertBuilds(): void;
}

/**
 * Finds out what network a file holds: a checkpoint's by its keys, an ONNX file's by having it enlarge a small picture once.
 * @throws CheckpointError, UnknownNetworkError, WeightsError; InspectionError for an ONNX file that is no upscaler
 */
export async function openPictureSource(files: ModelFiles, choosePrecision: ChoosePrecision): Promise<PictureSource> {
  return isOnnxName(files.file) ? onnxSource(files.file, choosePrecision) : checkpointSource(files, choosePrecision);
}

function checkpointSource({ file, blend }: ModelFiles, choosePrecision: ChoosePrecision): PictureSource {
  const dict = openCheckpoint(file);
  const other = blend && openCheckpoint(blend.file);
  const values = blend && other && blendedValues(dict, other, blend.strength);
  const network = recognise(dict, values);
  checkWeightsOnce(dict);
  if (other) checkWeightsOnce(other);
  assertTakesPictures(network);
  const precisionFor = onceForEach((device) => choosePrecision(network, device));
  const open = checkpointSessions(network, { weightsFolder: weightsFolderOf(file), precisionFor });
  return { network, precisionFor, open, assertBuilds: () => assertBuilds(network) };
}

/** What a window sees around its core where it was not measured what the network sees: more than ESRGANs need. */
const ONNX_HALO = 32;
/** What activations may take, unless more was measured: as much as those of the largest network that is common (23 dense blocks). */
const ONNX_BYTES_PER_PIXEL = 20_480;

async function onnxSource(file: string, choosePrecision: ChoosePrecision): Promise<PictureSource> {
  const model = await pictureModelOf(file);
  const network = networkOf(model);
  const bytes = readOnnxFile(file);
  return {
    network,
    precisionFor: onceForEach(async (device) => ({
      ...(await choosePrecision(network, device)),
      own: model.input.element === 'float16' ? 'fp16' : 'fp32',
    })),
    open: (shape, device) => PictureModelSession.open(bytes, model, { shape, device }),
    assertBuilds: () => undefined,
  };
}

function onceForEach(
  choose: (device: SessionDevice) => PrecisionPlan | Promise<PrecisionPlan>,
): PictureSource['precisionFor'] {
  const chosen = new Map<SessionDevice, Promise<PrecisionPlan>>();
  return async (device) => {
    const plan = chosen.get(device) ?? Promise.resolve(choose(device));
    chosen.set(device, plan);
    return plan;
  };
}

function networkOf({ input, output, scale, width, height, multipleOf, needs }: PictureModel): PictureNetwork {
  const largestWindow = width === null && height === null ? undefined : Math.min(width ?? Infinity, height ?? Infinity);
  return {
    architecture: 'ONNX',
    scale,
    inputChannels: input.channels,
    outputChannels: output.channels,
    multipleOf,
    padding: 'own',
    halo: Math.min(needs.halo ?? ONNX_HALO, Math.floor((largestWindow ?? Infinity) / 6)),
    workingBytesPerPixel: Math.max(needs.workingBytesPerPixel, ONNX_BYTES_PER_PIXEL),
    int8Refusal: OWN_NUMBERS,
    largestWindow,
  };
}
