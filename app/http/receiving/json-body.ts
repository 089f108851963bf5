import type { Request, Response } from 'express';
import { BadBodyError, UnsupportedMediaTypeError } from '../errors.ts';
import type { BodyLimit } from './body.ts';
import { bodyChunks } from './body.ts';

/**
 * The value of a small JSON body. An image in JSON is read by `receiveJsonImages`.
 * @throws UnsupportedMediaTypeError, BadBodyError, BodyTooLargeError
 */
export async function receiveJson(request: Request, response: Response, limit: BodyLimit): Promise<unknown> {
  if (!request.is('json')) throw new UnsupportedMediaTypeError('application/json', request.headers['content-type']);
  const chunks: Buffer[] = [];
  for await (const chunk of bodyChunks(request, response, limit)) chunks.push(chunk);
  return parseJson(Buffer.concat(chunks).toString('utf8'));
}

/** @param text with or without the mark by which some editors and shells begin a text in UTF-8 @throws BadBodyError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch (error) {
    throw new BadBodyError('The body is not JSON: it does not parse', { cause: error });
  }
}
