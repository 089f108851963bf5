import { buildImageGraph } from './image-graph.ts';
import type { RecognisedNetwork } from './registry.ts';
import { tensorGraph } from './tensor-graph.ts';

/** A side of the picture that a network is tried with; no smaller than the halos of most. */
const TRIED_SIDE = 24;

/**
 * Builds a network's graph as running it would, and leaves it: for a picture, or for tensors where the network is a part of a pipeline.
 * @throws UnknownNetworkError where no picture can go through it; WeightsError where weights are missing, too many or do not fit
 */
export function assertBuilds(network: RecognisedNetwork): void {
  const side = network.side ?? Math.ceil(TRIED_SIDE / network.multipleOf) * network.multipleOf;
  if (network.role === undefined) {
    buildImageGraph(network, { width: side, height: side, channels: 3, depth: 8 });
    return;
  }
  tensorGraph(network, [1, network.inputChannels, side, side]);
}
