/**
 * How many jobs a second the queue accepts durably (inputs of 20 KB and the journal on the disk before each answer), by how many
 * callers at once; and how long a server takes to take up 10,000 queued jobs.
 */
import { join } from 'node:path';
import { FileJobQueue } from '../../app/jobs/local/file-job-queue.ts';
import { JobFiles } from '../../app/jobs/job-files.ts';
import { Journal } from '../../app/jobs/local/journal.ts';
import { StateFolder } from '../../app/jobs/local/state-folder.ts';
import type { StoredJob } from '../../app/jobs/local/stored-job.ts';
import { createLogger } from '../../app/logger.ts';
import { upscaleRequest } from '../support/made-jobs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const QUEUED = 10_000;
const INPUT = Buffer.alloc(20_000, 1);
const logger = createLogger({ logLevel: 'error' });
const folder = await temporaryFolder();
const files = new JobFiles({ uploadFolder: join(folder.path, 'in'), processedFolder: join(folder.path, 'out') });
await files.prepare();

try {
  let queue = await open();
  let accepted = 0;
  for (const [callers, count] of [
    [1, 200],
    [32, 2000],
    [200, QUEUED - 2200],
  ] as const) {
    const waits: number[] = [];
    const start = performance.now();
    let left = count;
    const caller = async (): Promise<void> => {
      while (left-- > 0) waits.push(await submit(queue));
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const seconds = (performance.now() - start) / 1000;
    accepted += count;
    waits.sort((a, b) => a - b);
    const [p50 = 0, p99 = 0] = [waits[Math.floor(waits.length * 0.5)], waits[Math.floor(waits.length * 0.99)]];
    print(
      `${callers} at once: ${(count / seconds).toFixed(0)} accepts/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
  }
  await queue.close();
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    queue = await open();
    print(`${accepted} jobs taken up in ${(performance.now() - start).toFixed(0)} ms`);
    await queue.close();
  }
} finally {
  await folder.remove();
}

/** A queue whose first job never ends, so that all others wait. */
async function open(): Promise<FileJobQueue> {
  const journal = new Journal<StoredJob>(new StateFolder(files.stateFolder));
  const queue = new FileJobQueue({ files, journal, logger, workers: 1, maxQueue: 100_000 });
  await queue.start(
    (_job, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
  );
  return queue;
}

/** @returns ms until it was accepted; receiving the input is not part of it, syncing it is */
async function submit(queue: FileJobQueue): Promise<number> {
  const request = await upscaleRequest(files, {}, INPUT);
  const start = performance.now();
  await queue.submit(request);
  return performance.now() - start;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
