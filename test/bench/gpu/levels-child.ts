/**
 * A published network with pseudo-random weights, on a device and on the CPU: `levels-child.ts NAME DEVICE`. Prints one line of JSON: levels
 * in fp32, and in fp16 where `precision=auto` takes it.
 */
import type { SessionDevice } from '../../../app/inference/devices.ts';
import { openNetwork } from '../../../app/processing/networks/open-network.ts';
import { createHashedCheckpoint } from '../../support/checkpoints/hashed-checkpoint.ts';
import { levelsOf } from './levels.ts';

const [name = '', device = 'cuda'] = process.argv.slice(2);
const checkpoint = createHashedCheckpoint(name);
const { file } = checkpoint;
try {
  const { architecture, holdsHalf = false } = openNetwork(file);
  const fp32 = await levelsOf(file, 'fp32', device as SessionDevice);
  const fp16 = holdsHalf && (await levelsOf(file, 'fp16', device as SessionDevice));
  process.stdout.write(`${JSON.stringify({ architecture, fp32, ...(fp16 && { fp16 }) })}\n`);
} finally {
  checkpoint.remove();
}
