import type { Readable } from 'node:stream';
import { contentLength, isPage, parseContentRange, refuseBody, refuseStatus, strongValidator } from './answers.ts';
import { HEAD_BYTES, looksLikeCheckpoint } from '../checkpoint-head.ts';
import type { FileClient, FileResponse, RequestHeaders } from './file-client.ts';
import { shown } from './file-client.ts';
import { driveConfirmation, pageMessage } from './google-drive.ts';
import type { StallLimits } from './stall-clock.ts';
import { StallClock } from './stall-clock.ts';
import { asFault, TransferFault } from './transfer-fault.ts';

/** A source that serves ranges: where its bytes really are, and how to ask for them. */
export interface RangedSource {
  readonly kind: 'ranges';
  /** After redirects and confirmations; may be signed and expire. */
  readonly url: URL;
  readonly headers: RequestHeaders;
  readonly total: number;
  readonly validator: string | null;
}

/** A source that serves only the whole file; the answer is open, at its first byte. */
export interface StreamSource {
  readonly kind: 'stream';
  readonly response: FileResponse;
  /** Undefined for a chunked answer. */
  readonly total: number | undefined;
}

/** A page is read no further than this. */
const PAGE_BYTES = 256 * 1024;

export interface ProbeOptions {
  /** Asks for the whole file: for a server that announces ranges and then serves something else. */
  readonly isWhole?: boolean;
  readonly signal: AbortSignal;
  readonly stall: StallLimits;
}

/** Finds out by a request for the first bytes what a source has and how it serves it. @throws TransferFault */
export async function probeSource(
  client: FileClient,
  url: URL,
  options: ProbeOptions,
): Promise<RangedSource | StreamSource> {
  const range: RequestHeaders = options.isWhole ? {} : { range: `bytes=0-${HEAD_BYTES - 1}` };
  let headers: RequestHeaders = {};
  let response = await client.open(url, range, options.signal);
  if (response.status === 200 && isPage(response.headers)) {
    ({ response, headers } = await passConfirmation(client, response, range, options));
  }
  try {
    refuseStatus(response);
    refuseBody(response);
    if (options.isWhole && response.status === 206) throw badRange(response);
    return response.status === 206 ? await readHead(response, headers, options) : wholeFile(response);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

function wholeFile(response: FileResponse): StreamSource {
  return { kind: 'stream', response, total: contentLength(response.headers) };
}

async function readHead(
  response: FileResponse,
  headers: RequestHeaders,
  options: ProbeOptions,
): Promise<RangedSource | StreamSource> {
  const { url } = response;
  const got = parseContentRange(response.headers['content-range']);
  if (got?.range[0] !== 0) throw badRange(response);
  const head = await readUpTo(response.body, HEAD_BYTES, options);
  if (head.length < Math.min(HEAD_BYTES, got.total)) throw badRange(response);
  if (!looksLikeCheckpoint(head)) {
    throw new TransferFault('not-a-model', `${shown(url)} does not begin like a .pth or .safetensors file`);
  }
  return { kind: 'ranges', url, headers, total: got.total, validator: strongValidator(response.headers) };
}

function badRange({ url, headers }: FileResponse): TransferFault {
  const answer = headers['content-range'] ?? headers['content-type'] ?? 'nothing';
  return new TransferFault('bad-range', `${shown(url)} answers with a range that was not asked for: ${answer}`);
}

/** Goes through Google Drive's page, or says what the page says. */
async function passConfirmation(
  client: FileClient,
  page: FileResponse,
  range: RequestHeaders,
  options: ProbeOptions,
): Promise<{ response: FileResponse; headers: RequestHeaders }> {
  const html = (await readUpTo(page.body, PAGE_BYTES, options)).toString('utf8');
  const confirmed = driveConfirmation(html, page.url);
  if (!confirmed || !isSameSite(page.url, confirmed)) {
    const message = pageMessage(html);
    throw new TransferFault(
      'not-a-model',
      `${shown(page.url)} sends a web page instead of a model file${message ? ` ("${message}")` : ''}`,
    );
  }
  const cookies = (page.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]);
  const headers: RequestHeaders = cookies.length > 0 ? { cookie: cookies.join('; ') } : {};
  return { response: await client.open(confirmed, { ...range, ...headers }, options.signal), headers };
}

/** The page may only send us on within its own host or to another of Google's, never from https to http. */
function isSameSite(page: URL, target: URL): boolean {
  const isGoogle = (host: string) => /(^|\.)(google|googleusercontent)\.com$/.test(host);
  const isHostAllowed = page.host === target.host || (isGoogle(page.hostname) && isGoogle(target.hostname));
  return isHostAllowed && page.protocol === target.protocol;
}

async function readUpTo(body: Readable, limit: number, { signal, stall }: ProbeOptions): Promise<Buffer> {
  const clock = new StallClock(body, stall);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asFault(error);
  } finally {
    clock.stop();
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
