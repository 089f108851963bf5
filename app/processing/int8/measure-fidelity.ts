import { buildImageGraph } from '../../architectures/image-graph.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { comparedPair } from '../../evaluation/compared-samples.ts';
import { psnr } from '../../evaluation/psnr.ts';
import { ssim } from '../../evaluation/ssim.ts';
import type { Image } from '../../imaging/image.ts';
import { Session } from '../../inference/session.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import type { Fidelity, Likeness } from '../../quantization/fidelity.ts';
import { fidelityOf } from '../../quantization/fidelity.ts';
import { int8Graph } from '../../quantization/int8-graph.ts';
import type { Int8Tensors } from '../../quantization/int8-model.ts';
import { numbersInMemory } from '../../quantization/int8-model.ts';
import type { MeasuringPair } from './calibration-crops.ts';
import type { CropRuns } from './crop-runs.ts';
import { CROP, pictureOf } from './crop-runs.ts';
import { runInTiles, seamOf } from './seams.ts';

/** Pairs that are run in tiles too. */
const TILED = 2;
/** Pixels at the edge of a result that are not compared, times the network's scale: the network has seen only half of what it sees elsewhere. */
const BORDER = 1;

/** What one form of a network made of the pairs. */
export interface FormRun {
  readonly pictures: readonly Image[];
  /** How much the edges of tiles stand out, in levels. */
  readonly seam: number;
}

/** What the network makes of all reduced pictures in float32, and how much the edges of its tiles stand out. */
export async function runFloat32(
  network: RecognisedNetwork,
  pairs: readonly MeasuringPair[],
  runs: CropRuns,
): Promise<FormRun> {
  return runForm(buildImageGraph(network, CROP).serialize(), { pairs, halo: network.halo }, runs);
}

/**
 * The same of an int8 form.
 * @param form.halo how far tiles see beyond their core, in pixels of the input; the network's own unless it is given
 */
export async function runInt8(
  network: RecognisedNetwork,
  { tensors, pairs, halo = network.halo }: MeasuredForm,
  runs: CropRuns,
): Promise<FormRun> {
  const model = serializeModel(int8Graph(buildImageGraph(network, CROP), numbersInMemory(tensors)));
  return runForm(model, { pairs, halo }, runs);
}

/** What the int8 form loses, against the originals and against float32. */
export function compareForms(
  { pairs, scale }: { readonly pairs: readonly MeasuringPair[]; readonly scale: number },
  float32: FormRun,
  int8: FormRun,
): Fidelity {
  const likeness = (a: Image, b: Image): Likeness => likenessOf(a, b, BORDER * scale);
  const measured = pairs.flatMap(({ original }, index) => {
    const [exact, rounded] = [float32.pictures[index], int8.pictures[index]];
    if (!exact || !rounded) return [];
    return [
      { float32: likeness(original, exact), int8: likeness(original, rounded), between: likeness(exact, rounded) },
    ];
  });
  return fidelityOf(measured, Math.max(0, int8.seam - float32.seam));
}

/** An int8 form, and what it is measured on. */
interface MeasuredForm {
  readonly tensors: Int8Tensors;
  readonly pairs: readonly MeasuringPair[];
  readonly halo?: number;
}

async function runForm(
  model: Uint8Array,
  { pairs, halo }: { readonly pairs: readonly MeasuringPair[]; readonly halo: number },
  { weightsFolder, meter }: CropRuns,
): Promise<FormRun> {
  const session = await Session.open(model, { weightsFolder, device: 'cpu' });
  const run = (picture: Image): Promise<Image> => pictureOf(session, picture);
  const pictures: Image[] = [];
  let seam = 0;
  for (const [index, { reduced }] of pairs.entries()) {
    const picture = await run(reduced);
    pictures.push(picture);
    if (index < TILED) seam = Math.max(seam, seamOf(picture, await runInTiles(reduced, halo, run)));
    meter('measuring');
  }
  await session.release();
  return { pictures, seam };
}

function likenessOf(reference: Image, candidate: Image, cropBorder: number): Likeness {
  const compared = comparedPair(reference, candidate, { cropBorder, isLumaOnly: true });
  return { psnr: psnr(compared), ssim: ssim(compared) };
}
