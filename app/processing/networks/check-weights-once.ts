import { checkWeights } from '../../checkpoints/check-weights.ts';
import type { StateDict } from '../../checkpoints/state-dict.ts';
import { RememberedFacts } from '../../files/remembered-facts.ts';

const facts = new RememberedFacts();

/**
 * Reads all weights of a checkpoint and sees that they are whole, and numbers; once, as long as the file does not change.
 * @throws CheckpointError
 */
export function checkWeightsOnce(dict: StateDict): void {
  if (facts.recall(dict.file, 'sound') !== undefined) return;
  const since = Date.now();
  checkWeights(dict);
  facts.remember(dict.file, 'sound', { text: '', since });
}
