/** A program that upscales `argv[2]` beside itself and never ends by itself: the server in a test of its sudden death. */
import { basename, dirname } from 'node:path';
import { WorkerPool } from '../../app/worker/worker-pool.ts';
import { upscaleTask, workerConfig } from './upscale-task.ts';

const [, , file = ''] = process.argv;
const pool = new WorkerPool(workerConfig(), { isBackground: true });
await pool.warm();
await pool.run(upscaleTask(dirname(file), [basename(file)], { upscaler: 'COMPACT_X2', tile: 64 }), {
  onProgress: ({ tile }) => {
    if (tile === 1) process.stdout.write('working\n');
  },
});
