import { describe, expect, it } from '@jest/globals';
import { hasEnded, remoteJob } from '../../../../app/cli/remote/remote-job.ts';
import type { EndStatus, Job, JobStatus } from '../../../../app/jobs/job.ts';
import { initialProgress } from '../../../../app/jobs/job.ts';
import { jobView, progressView } from '../../../../app/jobs/job-view.ts';
import { outputOptions } from '../../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../../app/options/upscale-options.ts';

const ENDS: Readonly<Record<JobStatus, boolean>> = {
  queued: false,
  processing: false,
  completed: true,
  failed: true,
  cancelled: true,
} satisfies Record<EndStatus, true> & Record<Exclude<JobStatus, EndStatus>, false>;

const JOB: Job = {
  id: 'a',
  caller: 'anyone',
  method: 'upscale',
  inputs: [{ file: '/in/a', name: 'a.png', sha256: 'b' }],
  work: { kind: 'hires-fix', options: upscaleOptions.parse({}) },
  output: outputOptions.parse({}),
  warnings: [],
  status: 'queued',
  queuePosition: 1,
  progress: initialProgress({ inputs: [{ file: '/in/a', name: 'a.png', sha256: 'b' }] }),
  results: [],
  failures: [],
  createdAt: 0,
  attempt: 0,
};

describe('what the command line reads of a job', () => {
  it.each(Object.entries(ENDS))('is what the service writes of one that is %s', (status, isEnd) => {
    const job = { ...JOB, status: status as JobStatus };
    for (const view of [jobView(job), progressView(job)]) {
      const read = remoteJob.parse(JSON.parse(JSON.stringify(view)));
      expect(read).toMatchObject({ status, stage: 'queued', progress: 0, results: [] });
      expect(hasEnded(read)).toBe(isEnd);
    }
  });

  it.each(['png', 'jpeg', 'webp', 'avif', 'tiff', 'json'] as const)('has results that are %s', (format) => {
    const size = { width: 1, height: 1 };
    const told = { scale: 1, input: size, output: size, fallbacks: [], warnings: [], seconds: {} };
    const result = { index: 0, file: `/out/0.${format}`, bytes: 3, sha256: 'c', info: { ...told, format } };
    const view = jobView({ ...JOB, status: 'completed', results: [result] });
    expect(remoteJob.parse(JSON.parse(JSON.stringify(view))).results).toEqual([
      expect.objectContaining({ bytes: 3, sha256: 'c', info: result.info }),
    ]);
  });
});
