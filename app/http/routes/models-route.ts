import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import type { CatalogEntry } from '../../catalog/catalog-entry.ts';
import { createIntake } from '../../catalog/create-catalog.ts';
import type { ModelIntake } from '../../catalog/model-intake.ts';
import { MAX_MODEL_BYTES } from '../../catalog/model-intake.ts';
import { modelView } from '../../catalog/model-view.ts';
import { withoutPaths } from '../../files/without-paths.ts';
import type { Submission } from '../../jobs/job.ts';
import type { Config } from '../../config.ts';
import { hasEnded } from '../../jobs/job.ts';
import { jobView } from '../../jobs/job-view.ts';
import { outputOptions } from '../../options/output-options.ts';
import { answerAccepted, answerJob } from '../answer-job.ts';
import { ModelUploadOffError } from '../errors.ts';
import { Fields, parseParameters } from '../fields.ts';
import { parsePrefer } from '../prefer.ts';
import { receiveImages } from '../receiving/upload.ts';
import { submitJob, ticketOf } from '../submit-job.ts';
import { webhookOf, webhookUrl } from '../webhook-field.ts';
import type { RouteContext } from './route-context.ts';

export const downloadQuery = z.object({ webhook_url: webhookUrl });

type ModelsContext = Pick<RouteContext, 'config' | 'catalog' | 'queue' | 'awaited'>;

/**
 * `GET /models`: what is known, installed, verified and being downloaded, and the user's own files with what network they hold.
 * `POST /models` adds a checkpoint where that is allowed. `POST /models/{name}/download` fetches one as a job, which completes at once where it is there already.
 */
export function modelsRoute(context: ModelsContext): Router {
  const { catalog, awaited, config } = context;
  const intake = createIntake(config, catalog);
  return Router()
    .get('/models', async (_request, response) => {
      const entries = await catalog.list();
      response.json({
        models: entries.map((entry) => toldOf(entry, config)),
        takes_models: config.allowModelUpload,
      });
    })
    .post('/models', async (request, response) => {
      if (!config.allowModelUpload) throw new ModelUploadOffError();
      const filename = await takeModel(intake, request, response);
      const entry = (await catalog.list()).find((one) => one.file === join(config.modelsDir, filename));
      response.status(201).json(entry && toldOf(entry, config));
    })
    .post('/models/:name/download', async (request, response) => {
      const submission = await submitDownload(context, request.params.name, { request, response });
      const { waitMs = 0 } = parsePrefer(request.get('Prefer'));
      if (waitMs === 0) {
        answerAccepted(awaited, submission, response);
        return;
      }
      const { id, status } = submission.job;
      if (!hasEnded(status)) awaited.keep(id); // who asks is not the only one who wants the model
      await answerJob(awaited, submission, response, (job) => response.json(jobView(job)));
    });
}

/** Where files lie on the server is nobody's business; under which name they are asked for is. */
function toldOf(entry: CatalogEntry, config: Config) {
  const problem = entry.problem && withoutPaths(entry.problem, config);
  return { ...modelView(entry), file: undefined, problem };
}

/** Streams the file of a form into the folder; nothing is left of one that is refused. */
async function takeModel(intake: ModelIntake, request: Request, response: Response): Promise<string> {
  const part = await intake.part();
  try {
    const words = { what: 'The model', limit: 'the limit for models' };
    const target = { file: () => part, maxBytes: MAX_MODEL_BYTES, mostFiles: 1, words };
    const { images } = await receiveImages(request, response, target);
    return await intake.take(part, images[0]?.name ?? '');
  } finally {
    await rm(part, { force: true });
  }
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
