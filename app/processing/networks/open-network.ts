import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { recognise } from '../../architectures/registry.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { checkWeightsOnce } from './check-weights-once.ts';

/**
 * The network of a checkpoint whose weights are sound.
 * @throws CheckpointError, UnknownNetworkError, WeightsError
 */
export function openNetwork(file: string): RecognisedNetwork {
  const dict = openCheckpoint(file);
  const network = recognise(dict);
  checkWeightsOnce(dict);
  return network;
}
