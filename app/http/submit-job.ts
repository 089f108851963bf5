import type { Request, Response } from 'express';
import type { Config } from '../config.ts';
import { isDiskFault } from '../files/disk-room.ts';
import { StoreUnavailableError } from '../jobs/errors.ts';
import type { JobFiles } from '../jobs/job-files.ts';
import type { JobInput, JobRequest, Submission } from '../jobs/job.ts';
import { newJobId } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { assertWorkFits } from '../processing/assert-work-fits.ts';
import { callerOf, requestIdOf } from './caller.ts';
import { admissionOf, idempotency, idempotencyKeyOf } from './idempotency-key.ts';

/** The most images that one job takes. */
export const MAX_IMAGES = 64;

/** Who asks, by which name for the request, and the id that its job will have. */
export interface JobTicket {
  readonly id: string;
  readonly caller: string;
  readonly key: string | undefined;
  /** Of the request, by which its lines in the log are found. */
  readonly requestId: string;
}

/** What is to be done, and what of the request is not known here. */
export type AskedWork = Pick<JobRequest, 'method' | 'work' | 'output' | 'webhookUrl' | 'warnings'>;

/** The ticket of a request. @throws BadFieldError for a bad `Idempotency-Key` */
export function ticketOf(request: Request, response: Response): JobTicket {
  return {
    id: newJobId(),
    caller: callerOf(response),
    key: idempotencyKeyOf(request),
    requestId: requestIdOf(response),
  };
}

/** The ticket of a request for images, for which there is room: asked before its body is read. @throws QueueFullError and others */
export async function admittedTicket(
  { queue, files }: { readonly queue: Pick<JobQueue, 'admit'>; readonly files: Pick<JobFiles, 'room'> },
  request: Request,
  response: Response,
): Promise<JobTicket> {
  const ticket = ticketOf(request, response);
  await queue.admit(admissionOf(ticket.caller, ticket.key));
  if (!(await files.room.isThere())) throw new StoreUnavailableError(undefined, { reason: 'the disk is full' });
  return ticket;
}

/** Does what writes files for a job. @throws StoreUnavailableError where the disk has no room for them, or fails */
export async function writingFiles<T>({ room }: Pick<JobFiles, 'room'>, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    room.ranOut();
    throw new StoreUnavailableError(error);
  }
}

/** Refuses what is beyond the limits whatever worker has it. @throws what `assertWorkFits` does */
export async function assertJobFits(
  { work, output }: Pick<AskedWork, 'work' | 'output'>,
  inputs: readonly JobInput[],
  config: Config,
): Promise<void> {
  // Of a preview each upscaler is a result of its own, which the worker refuses or makes.
  if (work.kind === 'download' || work.kind === 'preview') return;
  await assertWorkFits({ ...work, output }, inputs, config);
}

/** Hands over what is asked as a job; a request of the same key that was made before is answered by its job. */
export function submitJob(
  queue: Pick<JobQueue, 'submit'>,
  asked: AskedWork,
  { id, caller, key, requestId, inputs }: JobTicket & { readonly inputs: readonly JobInput[] },
): Promise<Submission> {
  const images = inputs.map(({ sha256 }) => sha256);
  const named = key === undefined ? {} : { idempotency: idempotency(key, { ...asked, images }) };
  return queue.submit({ ...asked, id, caller, requestId, inputs, ...named });
}
