import { writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import winston from 'winston';
import type { Job } from '../../../app/jobs/job.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { runJob } from '../../../app/jobs/run-job.ts';
import { createLogger } from '../../../app/logger.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';
import { echoResults } from '../../support/servers/http-service.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FALLBACK = { from: 'gfpgan-1.4', to: 'no face restoration', reason: 'was killed by SIGKILL' };
const ID = '0123456789abcdef0123456789abcdef';

describe('A job that is run', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  it('has its fallbacks in the log', async () => {
    const files = new JobFiles({ uploadFolder: folder.path, processedFolder: folder.path });
    const input = files.input(ID, 0);
    await writeFile(input, 'image');
    const lines: string[] = [];
    const stream = new Writable({
      write: (line, _encoding, done) => {
        lines.push(String(line));
        done();
      },
    });
    const logger = createLogger({ logLevel: 'warn' });
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types Stream as an interface
    logger.clear().add(new winston.transports.Stream({ stream }));
    const running = { job: jobOf(ID, input), crashes: 0, restarts: 0 };
    const { status } = await runJob(running, {
      handler: async (job) => {
        const [result] = await echoResults(files, job);
        return result ? [{ ...result, info: { ...result.info, fallbacks: [FALLBACK] } }] : [];
      },
      files,
      logger,
      signal: new AbortController().signal,
      change: (change) => (running.job = { ...running.job, ...change }),
      store: () => Promise.resolve(),
    });
    expect(status).toBe('completed');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'warn', job_id: ID, index: 0, ...FALLBACK },
    ]);
  });

  it('does not reach its handler where it is cancelled while its inputs are brought', async () => {
    const abort = new AbortController();
    class SlowFiles extends JobFiles {
      override bringInputs(): Promise<void> {
        abort.abort();
        return Promise.resolve();
      }
    }
    const files = new SlowFiles({ uploadFolder: folder.path, processedFolder: folder.path });
    const running = { job: jobOf(ID, files.input(ID, 0)), crashes: 0, restarts: 0 };
    let isReached = false;
    await runJob(running, {
      handler: () => {
        isReached = true;
        return Promise.resolve([]);
      },
      files,
      logger: createLogger({ logLevel: 'error' }),
      signal: abort.signal,
      change: (change) => (running.job = { ...running.job, ...change }),
      store: () => Promise.resolve(),
    });
    expect(isReached).toBe(false);
  });
});

function jobOf(id: string, input: string): Job {
  return {
    ...{ id, caller: 'anyone', method: 'upscale', warnings: [], createdAt: 0, attempt: 0 },
    inputs: [{ file: input, name: 'photo.png', sha256: '' }],
    work: { kind: 'hires-fix', options: upscaleOptions.parse({}) },
    output: outputOptions.parse({}),
    ...{ status: 'queued', queuePosition: 0, results: [], failures: [] },
    progress: { stage: 'queued', progress: 0, stageProgress: 0, image: 1, images: 1 },
  };
}
