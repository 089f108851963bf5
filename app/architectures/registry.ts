import { quoted, shownFile } from '../checkpoints/errors.ts';
import type { StateDict } from '../checkpoints/state-dict.ts';
import { WeightsError } from '../onnx/errors.ts';
import type { TensorValues } from '../onnx/weights.ts';
import { Weights } from '../onnx/weights.ts';
import type { Architecture, Network } from './architecture.ts';
import { codeFormer } from './faces/codeformer.ts';
import { compact } from './upscalers/compact.ts';
import { ddcolor } from './color/ddcolor.ts';
import { deoldify } from './color/deoldify.ts';
import { UnknownNetworkError } from './errors.ts';
import { dncnn } from './restorers/dncnn.ts';
import { drunet } from './restorers/drunet.ts';
import { fbcnn } from './restorers/fbcnn.ts';
import { restormer } from './restorers/restormer.ts';
import { dctlsa } from './upscalers/dctlsa.ts';
import { scunet } from './restorers/scunet.ts';
import { ditn } from './upscalers/ditn.ts';
import { moesr } from './upscalers/moesr.ts';
import { safmn } from './upscalers/safmn.ts';
import { seemore } from './upscalers/seemore.ts';
import { swiftSrgan } from './upscalers/swift-srgan.ts';
import { gfpgan } from './faces/gfpgan.ts';
import { refusalOfForeign, refusalOfUnknown } from './network-refusal.ts';
import { nafnet } from './restorers/nafnet.ts';
import { mosr } from './upscalers/mosr.ts';
import { parseNet } from './faces/parsenet.ts';
import { plksr } from './upscalers/plksr.ts';
import { rcan } from './upscalers/rcan.ts';
import { realCugan } from './upscalers/real-cugan.ts';
import { restoreFormer } from './faces/restoreformer.ts';
import { retinaFace } from './faces/retinaface.ts';
import { rrdbNet } from './upscalers/rrdbnet.ts';
import { hat } from './upscalers/windowed/hat.ts';
import { swin2sr } from './upscalers/windowed/swin2sr.ts';
import { drct } from './upscalers/windowed/drct.ts';
import { atd } from './upscalers/windowed/atd.ts';
import { rgt } from './upscalers/windowed/rgt.ts';
import { craft } from './upscalers/windowed/craft.ts';
import { fdat } from './upscalers/windowed/fdat.ts';
import { grl } from './upscalers/windowed/grl.ts';
import { srFormer } from './upscalers/windowed/srformer.ts';
import { omniSr } from './upscalers/windowed/omnisr.ts';
import { dat } from './upscalers/windowed/dat.ts';
import { swinir } from './upscalers/windowed/swinir.ts';
import { span } from './upscalers/span.ts';

/** In the order in which they are tried: a pattern that others' files also fit comes later. */
export const ARCHITECTURES: readonly Architecture[] = [
  ddcolor,
  deoldify,
  nafnet,
  span,
  srFormer,
  hat,
  swin2sr,
  swinir,
  dat,
  omniSr,
  rgt,
  drct,
  atd,
  craft,
  fdat,
  grl,
  rrdbNet,
  compact,
  plksr,
  realCugan,
  mosr,
  rcan,
  swiftSrgan,
  safmn,
  seemore,
  ditn,
  moesr,
  dctlsa,
  scunet,
  restormer,
  fbcnn,
  drunet,
  dncnn,
  retinaFace,
  parseNet,
  gfpgan,
  codeFormer,
  restoreFormer,
];

/** A checkpoint whose network is known. */
export interface RecognisedNetwork extends Network {
  readonly architecture: string;
  readonly weights: Weights;
  /** Fails, naming them, where the built network left tensors of the file unused. */
  assertAllRead(): void;
}

/**
 * Finds out from its keys and shapes what network a state dict holds.
 * @param values replaces tensors of the file (blended checkpoints)
 * @throws UnknownNetworkError which says what the file is where that is known, and what to take instead
 */
export function recognise(dict: StateDict, values?: TensorValues): RecognisedNetwork {
  const asked = Weights.of(dict);
  const running = ARCHITECTURES.map(({ name }) => name);
  // First: what belongs to another family may have all keys of one that runs, and more.
  const foreign = refusalOfForeign(dict, asked, running);
  if (foreign) throw foreign;
  const found = ARCHITECTURES.find((architecture) => architecture.detect(asked));
  if (!found) throw refusalOfUnknown(dict, running);
  const weights = Weights.of(dict, values);
  const network = namingFile(dict, () => found.read(weights));
  assertSane(network, dict);
  assertAsSaid(network, dict, found.name);
  return {
    ...network,
    build: (image, scalars) => namingFile(dict, () => network.build(image, scalars)),
    architecture: found.name,
    weights,
    assertAllRead: () => weights.assertAllRead((name) => found.ignores?.(name) ?? false),
  };
}

/** An error about the weights is to say whose they are; layers know their names only. */
function namingFile<T>({ file }: StateDict, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const name = shownFile(file);
    if (error instanceof WeightsError && !error.message.includes(name)) {
      throw new WeightsError(`${name}: ${error.message}`, { cause: error.cause });
    }
    if (error instanceof UnknownNetworkError && !error.message.includes(name)) {
      throw new UnknownNetworkError(`${name}: ${error.message}`, { cause: error.cause });
    }
    throw error;
  }
}

/** No network that anybody trained enlarges by more; one that claims to would make a picture of any size out of a tile. */
const MAX_SCALE = 16;

function assertSane({ scale, inputChannels }: Network, { file }: StateDict): void {
  if (!Number.isInteger(inputChannels) || inputChannels < 1) {
    throw new UnknownNetworkError(`${shownFile(file)}: a network that would take ${inputChannels} channels`);
  }
  if (scale <= MAX_SCALE) return;
  throw new UnknownNetworkError(
    `${shownFile(file)}: a network that enlarges ${scale} times; at most ${MAX_SCALE} are run`,
  );
}

/** Numbers that no key tells; of others the keys are the better witness. */
const TOLD_NUMBERS: ReadonlySet<string> = new Set(['res_scale', 'img_range', 'rgb_range', 'negative_slope']);

/** Fails where the file says of its network what the network that would be run has not. */
function assertAsSaid({ parameters, assumes }: Network, { settings = new Map(), file }: StateDict, name: string): void {
  const run = new Map(Object.entries({ ...assumes, ...parameters }));
  for (const [key, said] of settings) {
    const own = run.get(key);
    const isCompared = typeof said === 'number' ? TOLD_NUMBERS.has(key) : said !== null;
    if (!isCompared || own === undefined || own === null || key.includes('checkpoint')) continue;
    if (String(own).toLowerCase() === String(said).toLowerCase()) continue;
    throw new UnknownNetworkError(
      `${shownFile(file)}: its own metadata says ${key} is ${quoted(String(said))}; ${name} is run with '${String(own)}' only`,
    );
  }
}
