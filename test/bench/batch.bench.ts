/**
 * Six pictures in a batch, 512 x 512 enlarged by the network that ships with the package and written as PNG: one after another, and with each
 * encoded beside the next one's network, in turn within one process. Beside must not be slower.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { ModelSlot } from '../../app/processing/networks/model-slot.ts';
import { createProcessors } from '../../app/worker-container.ts';
import { median } from '../support/median.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { upscaleTask, workerConfig } from '../support/upscale-task.ts';

const [PICTURES, ROUNDS, SIDE] = [6, 5, 512];
/** Of both medians; noise of a machine that does other things too. */
const MAX_RATIO = 1.03;

const folder = await temporaryFolder();
try {
  const names = Array.from({ length: PICTURES }, (_, index) => `${index}.png`);
  for (const name of names) await writeFile(join(folder.path, name), await picture());
  const task = { ...upscaleTask(folder.path, names, { upscaler: 'COMPACT_X2', scale: 2 }), mayOverwrite: true };
  const processors = createProcessors(workerConfig({ modelKeepAliveMs: 60_000 }), new ModelSlot());
  const run = async (isOneByOne: boolean): Promise<number> => {
    const start = performance.now();
    const results: number[] = [];
    const hooks = {
      onImage: () => undefined,
      onPlacing: () => undefined,
      onProgress: () => undefined,
      onRunning: () => undefined,
      onResult: ({ index }: { readonly index: number }) => void results.push(index),
      onImageFailed: (index: number, error: unknown) => {
        throw new Error(`picture ${index} failed`, { cause: error });
      },
    };
    const rung = { excludedDevices: [], finished: [], isOneByOne };
    await processors['hires-fix'](task, { rung, scratch: folder.path, hooks });
    if (results.join() !== '0,1,2,3,4,5') throw new Error(`results came as ${results.join()}`);
    return performance.now() - start;
  };
  await run(false); // loads the network
  const times: { alone: number; beside: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push({ alone: await run(true), beside: await run(false) });
  const [alone, beside] = [median(times.map((one) => one.alone)), median(times.map((one) => one.beside))];
  process.stdout.write(
    `${PICTURES} pictures one after another ${alone.toFixed(0)} ms, with encoding beside the next ${beside.toFixed(0)} ms: ` +
      `${(PICTURES / (beside / 1000)).toFixed(1)} a second, ${(beside / alone).toFixed(2)} of the time\n`,
  );
  if (beside / alone > MAX_RATIO) process.exitCode = 1;
} finally {
  await folder.remove();
}

function picture(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#888', noise } })
    .blur(2)
    .png()
    .toBuffer();
}
