import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { modelView } from '../../catalog/model-view.ts';
import { withoutPaths } from '../../files/without-paths.ts';
import type { Submission } from '../../jobs/job.ts';
import { hasEnded } from '../../jobs/job.ts';
import { jobView } from '../../jobs/job-view.ts';
import { outputOptions } from '../../options/output-options.ts';
import { answerAccepted, answerJob } from '../answer-job.ts';
import { Fields, parseParameters } from '../fields.ts';
import { parsePrefer } from '../prefer.ts';
import { submitJob, ticketOf } from '../submit-job.ts';
import { webhookOf, webhookUrl } from '../webhook-field.ts';
import type { RouteContext } from './route-context.ts';

export const downloadQuery = z.object({ webhook_url: webhookUrl });

type ModelsContext = Pick<RouteContext, 'config' | 'catalog' | 'queue' | 'awaited'>;

/**
 * `GET /models`: what is known, installed, verified and being downloaded, and the user's own files with what network they hold.
 * `POST /models/{name}/download` fetches one as a job, which completes at once where it is there already.
 */
export function modelsRoute(context: ModelsContext): Router {
  const { catalog, awaited, config } = context;
  return Router()
    .get('/models', async (_request, response) => {
      const entries = await catalog.list();
      // Where files lie on the server is nobody's business; under which name they are asked for is.
      const problemOf = (problem: string | null) => problem && withoutPaths(problem, config);
      response.json({
        models: entries.map((entry) => ({ ...modelView(entry), file: undefined, problem: problemOf(entry.problem) })),
      });
    })
    .post('/models/:name/download', async (request, response) => {
      const submission = await submitDownload(context, request.params.name, { request, response });
      const { waitMs = 0 } = parsePrefer(request.get('Prefer'));
      const { id, status } = submission.job;
      if (!hasEnded(status)) awaited.keep(id); // who asks is not the only one who wants the model
      if (waitMs === 0) answerAccepted(submission, response);
      else await answerJob(awaited, submission, response, (job) => response.json(jobView(job)));
    });
}

async function submitDownload(
  { config, catalog, queue }: ModelsContext,
  name: string,
  { request, response }: { readonly request: Request<{ name: string }>; readonly response: Response },
): Promise<Submission> {
  const { values, warnings } = parseParameters(downloadQuery, Fields.ofQuery(request.query).entries());
  const asked = {
    method: 'download' as const,
    work: { kind: 'download' as const, model: await catalog.obtainable(name) },
    output: outputOptions.parse({}),
    ...webhookOf(values.webhook_url, config),
    warnings,
  };
  return submitJob(queue, asked, { ...ticketOf(request, response), inputs: [] });
}
