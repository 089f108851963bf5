import { z } from 'zod';
import type { Config } from '../config.ts';
import { urlProblem } from '../outbound/public-url.ts';
import { BadFieldError } from './errors.ts';

const MAX_URL = 2048;

/** The field `webhook_url` of everything that makes a job. Whether it is taken, `webhookOf` says. */
export const webhookUrl = z
  .string({ error: 'must be a URL, as text' })
  .max(MAX_URL, { error: `must have at most ${MAX_URL} characters` })
  .optional()
  .describe('URL to notify by a signed POST when the job ends; only with WEBHOOKS_ENABLED');

/**
 * The part of a job that `webhook_url` stands for.
 * @throws BadFieldError, which does not repeat the URL: it may hold a secret
 */
export function webhookOf(
  given: string | undefined,
  { webhooksEnabled }: Pick<Config, 'webhooksEnabled'>,
): { readonly webhookUrl?: string } {
  if (given === undefined) return {};
  const problem = given.length > MAX_URL ? `must have at most ${MAX_URL} characters` : urlProblem(given);
  if (!webhooksEnabled) {
    throw new BadFieldError('webhook_url', 'is not taken here; whoever runs the service can set WEBHOOKS_ENABLED');
  }
  if (problem !== undefined) throw new BadFieldError('webhook_url', problem);
  return { webhookUrl: given };
}
