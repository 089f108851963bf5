import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';
import type { MemorySeen } from '../support/networks/memory-per-pixel-child.ts';

const CHILD = fileURLToPath(new URL('../support/networks/memory-per-pixel-child.ts', import.meta.url));
const SIDE = 96;

/** `npm run bench:memory-per-pixel` has the others, of which this one takes the most. */
it('a pixel of DRCT, whose blocks are all of other sizes, takes no more than is stated', async () => {
  const checkpoint = createHashedCheckpoint('DRCT_x4');
  const job = JSON.stringify({ file: checkpoint.file, side: SIDE });
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, job]);
  checkpoint.remove();
  const { bytes, stated } = JSON.parse(stdout) as MemorySeen;
  expect(bytes / SIDE ** 2).toBeLessThan(stated);
});
