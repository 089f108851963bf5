import type { StateDict } from '../checkpoints/state-dict.ts';
import type { TensorValues } from '../onnx/weights.ts';
import { Weights } from '../onnx/weights.ts';
import type { Architecture, Network } from './architecture.ts';
import { codeFormer } from './faces/codeformer.ts';
import { compact } from './upscalers/compact.ts';
import { ddcolor } from './color/ddcolor.ts';
import { deoldify } from './color/deoldify.ts';
import { UnknownNetworkError } from './errors.ts';
import { gfpgan } from './faces/gfpgan.ts';
import { nafnet } from './restorers/nafnet.ts';
import { mosr } from './upscalers/mosr.ts';
import { parseNet } from './faces/parsenet.ts';
import { plksr } from './upscalers/plksr.ts';
import { rcan } from './upscalers/rcan.ts';
import { realCugan } from './upscalers/real-cugan.ts';
import { restoreFormer } from './faces/restoreformer.ts';
import { retinaFace } from './faces/retinaface.ts';
import { rrdbNet } from './upscalers/rrdbnet.ts';
import { span } from './upscalers/span.ts';

/** In the order in which they are tried: a pattern that others' files also fit comes later. */
const ARCHITECTURES: readonly Architecture[] = [
  ddcolor,
  deoldify,
  nafnet,
  span,
  rrdbNet,
  compact,
  plksr,
  realCugan,
  mosr,
  rcan,
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
 * @throws UnknownNetworkError which says what was looked for and what the file has
 */
export function recognise(dict: StateDict, values?: TensorValues): RecognisedNetwork {
  const found = ARCHITECTURES.find((architecture) => architecture.detect(Weights.of(dict)));
  if (!found) throw unknownNetwork(dict);
  const weights = Weights.of(dict, values);
  const network = found.read(weights);
  return {
    ...network,
    architecture: found.name,
    weights,
    assertAllRead: () => weights.assertAllRead((name) => found.ignores?.(name) ?? false),
  };
}

function unknownNetwork(dict: StateDict): UnknownNetworkError {
  const names = [...dict.tensors.keys()];
  const shown = names.slice(0, 4).join(', ');
  const looked = ARCHITECTURES.map((architecture) => architecture.looksFor).join('; ');
  return new UnknownNetworkError(
    `${dict.file}: no network that is known here. Looked for ${looked}. The file has ${names.length} tensors: ${shown}${names.length > 4 ? ', ...' : ''}`,
  );
}
