import { describe, expect, it } from '@jest/globals';
import type { JobState } from '../../../app/client/job-state.ts';
import { hasEnded, isJobState } from '../../../app/client/job-state.ts';
import type { EndStatus, Job, JobStatus } from '../../../app/jobs/job.ts';
import { initialProgress } from '../../../app/jobs/job.ts';
import { jobView, progressView } from '../../../app/jobs/job-view.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';

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

describe('what the client reads of a job', () => {
  it.each(Object.entries(ENDS))('is what the service writes of one that is %s', (status, isEnd) => {
    const job = { ...JOB, status: status as JobStatus };
    for (const view of [jobView(job), progressView(job)] satisfies JobState[]) {
      expect(isJobState(JSON.parse(JSON.stringify(view)))).toBe(true);
      expect(hasEnded(view)).toBe(isEnd);
    }
  });

  it.each(['png', 'jpeg', 'webp', 'avif', 'tiff', 'json'] as const)('has results that are %s', (format) => {
    const size = { width: 1, height: 1 };
    const told = { scale: 1, input: size, output: size, fallbacks: [], warnings: [], seconds: {} };
    const result = { index: 0, file: `/out/0.${format}`, bytes: 3, sha256: 'c', info: { ...told, format } };
    const view: JobState = jobView({ ...JOB, status: 'completed', results: [result] });
    expect(isJobState(JSON.parse(JSON.stringify(view)))).toBe(true);
    expect(view.results).toEqual([expect.objectContaining({ bytes: 3, sha256: 'c', info: result.info })]);
  });

  it.each([null, 'text', {}, { status: 'done' }, { status: 'queued', progress: 0 }, { ...JOB, results: [{}] }])(
    'is not %j',
    (value) => {
      expect(isJobState(value)).toBe(false);
    },
  );
});
