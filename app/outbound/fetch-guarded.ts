import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { UnfetchableError } from './errors.ts';
import type { LookupGuard } from './guarded-lookup.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { urlProblem } from './public-url.ts';

const MAX_REDIRECTS = 3;
const TIMEOUT_MS = 20_000;

export interface FetchLimits extends LookupGuard {
  readonly maxBytes: number;
  /** What is wrong with an address, as `urlProblem` tells it, which is the default. */
  readonly problemOf?: (url: string) => string | undefined;
}

/**
 * What lies at a stranger's URL: no private address, at the first place or at those that it leads to (three at most), for 20 seconds in all.
 * No cookie and no key is sent.
 * @throws UnfetchableError, PrivateAddressError
 */
export async function fetchGuarded(text: string, limits: FetchLimits): Promise<Buffer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let url = text.trim();
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const problem = (limits.problemOf ?? urlProblem)(url);
    if (problem !== undefined) throw new UnfetchableError(problem);
    const response = await answerOf(new URL(url), limits, signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return bodyOf(response, limits.maxBytes);
    response.destroy();
    const next = statusCode >= 300 && statusCode < 400 ? headers.location : undefined;
    if (next === undefined || !URL.canParse(next, url)) throw new UnfetchableError(`answered ${statusCode}`);
    url = new URL(next, url).href;
  }
  throw new UnfetchableError(`leads from one address to another more than ${MAX_REDIRECTS} times`);
}

function answerOf(url: URL, guard: LookupGuard, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { 'User-Agent': 'hiresfix', Accept: 'image/*', 'Accept-Encoding': 'identity' };
  return new Promise((resolve, reject) => {
    const options = { lookup: guardedLookup(guard), signal, headers, agent: false } as const;
    send(url, options, resolve)
      .on('error', (error: NodeJS.ErrnoException) => reject(refusalOf(error)))
      .end();
  });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) throw new UnfetchableError(`has more than ${maxBytes} bytes (MAX_FILE_SIZE_MB)`);
      pieces.push(piece);
    }
  } catch (error) {
    throw refusalOf(error as NodeJS.ErrnoException);
  } finally {
    response.destroy();
  }
  return Buffer.concat(pieces);
}

/** What the guard says stays; of the network's faults only the code is told. */
function refusalOf(error: NodeJS.ErrnoException): Error {
  if (error.code?.startsWith('ERR_PRIVATE') === true || error instanceof UnfetchableError) return error;
  return new UnfetchableError(
    `does not answer (${error.name === 'TimeoutError' ? 'timeout' : (error.code ?? error.name)})`,
    {
      cause: error,
    },
  );
}
