import { Router } from 'express';
import { z } from 'zod';
import { JobNotCompletedError } from '../../jobs/errors.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobFiles } from '../../jobs/job-files.ts';
import { ownJob } from '../../jobs/own-job.ts';
import type { ArchiveLinks } from '../archive-links.ts';
import { LINK_SECONDS } from '../archive-links.ts';
import { callerOf } from '../caller.ts';
import { RouteNotFoundError } from '../errors.ts';
import { parseParameters } from '../fields.ts';
import { receiveJson } from '../receiving/json-body.ts';
import type { ArchivedJob } from '../results-archive.ts';
import { sendArchive } from '../results-archive.ts';
import type { RouteContext } from './route-context.ts';

const MAX_JOBS = 1000;
const MAX_BODY_BYTES = 2 ** 20;

export const archiveBody = z.object({
  jobs: z
    .array(
      z.object({
        job_id: z.string().max(64),
        folder: z
          .string()
          .max(1000)
          .default('')
          .describe('Folder for its results in the archive; `/` separates levels'),
      }),
    )
    .min(1)
    .max(MAX_JOBS),
});

type ArchivesContext = Pick<RouteContext, 'queue' | 'files'>;

/** `POST /archives`: a link to the results of several jobs as one ZIP. */
export function archivesRoute({ queue }: ArchivesContext, links: ArchiveLinks): Router {
  return Router().post('/archives', async (request, response) => {
    const limit = { what: 'The list of jobs', maxBytes: MAX_BODY_BYTES };
    const body = await receiveJson(request, response, limit);
    const { values } = parseParameters(archiveBody, Object.entries(Object(body) as object));
    const caller = callerOf(response);
    for (const { job_id: id } of values.jobs) assertCompleted(await ownJob(queue, id, caller));
    const jobs = values.jobs.map(({ job_id: id, folder }) => ({ id, folder }));
    const url = `/archives/${links.add({ caller, jobs })}.zip`;
    response.status(201).location(url).json({ url, expires_in_seconds: LINK_SECONDS });
  });
}

/** `GET /archives/{token}.zip`: open to whoever has the link. */
export function archiveLinksRoute({ queue, files }: ArchivesContext, links: ArchiveLinks): Router {
  return Router().get('/archives/:name', async (request, response) => {
    const [, token = ''] = /^([0-9a-f]{32})\.zip$/.exec(request.params.name) ?? [];
    const archive = links.find(token);
    if (!archive) throw new RouteNotFoundError('GET', request.path);
    const jobs: ArchivedJob[] = [];
    for (const { id, folder } of archive.jobs) {
      const job = await ownJob(queue, id, archive.caller);
      assertCompleted(job);
      jobs.push({ job, folder });
    }
    const send = (): Promise<void> => sendArchive(response, jobs, 'hiresfix.zip');
    const all = jobs.map(({ job }) => job);
    await readingAll(files, all, send);
  });
}

function assertCompleted({ id, status }: Job): void {
  if (status !== 'completed') throw new JobNotCompletedError(id, status);
}

/** Runs `read` while the results of all of them are kept. */
function readingAll(files: JobFiles, jobs: readonly Job[], read: () => Promise<void>): Promise<void> {
  const [first, ...others] = jobs;
  return first ? files.reading(first, () => readingAll(files, others, read)) : read();
}
