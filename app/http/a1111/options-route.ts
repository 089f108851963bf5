import { Router } from 'express';
import type { OutputFormat } from '../../options/output-formats.ts';
import { formatOfExtension } from '../../options/output-formats.ts';
import { callerOf } from '../caller.ts';
import { BadBodyError } from '../errors.ts';
import { receiveJson } from '../receiving/json-body.ts';
import { sendJson } from './process-time.ts';

/** What clients look at before they send anything; nothing here generates, so there is no checkpoint but a name for one. */
const STANDARD: Readonly<Record<string, unknown>> = {
  sd_model_checkpoint: 'hiresfix',
  samples_format: 'png',
  face_restoration_model: 'CodeFormer',
  code_former_weight: 0.5,
  upscaler_for_img2img: null,
};
const MAX_BYTES = 65_536;
const MAX_OPTIONS = 500;

/** The options that each caller has set. They live as long as the server; only `samples_format` changes what is answered. */
export class A1111Options {
  readonly #set = new Map<string, Readonly<Record<string, unknown>>>();

  of(caller: string): Readonly<Record<string, unknown>> {
    return { ...STANDARD, ...this.#set.get(caller) };
  }

  /** @throws BadBodyError for more than a caller may keep here */
  merge(caller: string, options: Readonly<Record<string, unknown>>): void {
    const all = { ...this.#set.get(caller), ...options };
    if (Object.keys(all).length > MAX_OPTIONS || JSON.stringify(all).length > MAX_BYTES) {
      throw new BadBodyError(`at most ${MAX_OPTIONS} options of ${MAX_BYTES} bytes are kept`);
    }
    this.#set.set(caller, all);
  }

  /** The format in which a caller wants its pictures; PNG where `samples_format` names none that is written. */
  formatOf(caller: string): OutputFormat {
    const format = this.of(caller)['samples_format'];
    return (typeof format === 'string' ? formatOfExtension(`.${format}`) : undefined) ?? 'png';
  }
}

/** `GET` and `POST /sdapi/v1/options`: what a caller has set is there again when it asks; no option is refused. */
export function optionsRoute(options: A1111Options): Router {
  return Router()
    .get('/sdapi/v1/options', (_request, response) => sendJson(response, options.of(callerOf(response))))
    .post('/sdapi/v1/options', async (request, response) => {
      const body = await receiveJson(request, response, { what: 'The body', maxBytes: MAX_BYTES });
      if (typeof body !== 'object' || body === null || Array.isArray(body))
        throw new BadBodyError('The body must be a JSON object of options');
      options.merge(callerOf(response), body as Record<string, unknown>);
      sendJson(response, null);
    });
}
