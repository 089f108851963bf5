import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { addressOf, isPrivateAddress } from '../../outbound/private-address.ts';
import { asFault, TransferFault } from './transfer-fault.ts';

export type RequestHeaders = Readonly<Record<string, string>>;

/** An answer whose body has not been read; it must be read or destroyed. */
export interface FileResponse {
  /** After redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface FileClientOptions {
  readonly userAgent: string;
  /** Limits for the name, the connection and the answer's first line, in ms. The body has none: see `StallClock`. */
  readonly connectMs: number;
  readonly responseMs: number;
  readonly redirects: number;
  /** Which addresses a redirect from a public host may not lead to. */
  readonly isPrivate?: (address: string) => boolean;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * GETs of files, for one download. Bodies are never decompressed, statuses never thrown, nothing is retried. Redirects are
 * followed here so that none leads from https to http, from a public host into a private network, or round in circles.
 * Proxies come from the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`).
 */
export class FileClient {
  readonly #options: FileClientOptions;
  readonly #agents = new Map<string, { http: HttpAgent; https: HttpsAgent }>();

  constructor(options: FileClientOptions) {
    this.#options = options;
  }

  /** @throws TransferFault: redirect, or network for everything that keeps an answer from coming */
  async open(url: URL, headers: RequestHeaders, signal: AbortSignal): Promise<FileResponse> {
    let at = url;
    for (let hop = 0; hop <= this.#options.redirects; hop += 1) {
      const answer = await this.#request(at, {
        headers,
        signal,
        isGuarded: hop > 0 && !(await this.#isPrivateHost(url)),
      });
      const location = answer.headers.location;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      answer.body.destroy();
      at = this.#nextHop(at, location);
    }
    throw new TransferFault(
      'redirect',
      `more than ${this.#options.redirects} redirects, or a circle of them, from ${shown(url)}`,
    );
  }

  /** Closes the idle connections. */
  close(): void {
    for (const { http, https } of this.#agents.values()) {
      http.destroy();
      https.destroy();
    }
    this.#agents.clear();
  }

  #nextHop(from: URL, location: string): URL {
    const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const isAllowed = next?.protocol === 'https:' || (next?.protocol === 'http:' && from.protocol === 'http:');
    if (next && isAllowed) return next;
    throw new TransferFault(
      'redirect',
      `${shown(from)} redirects to ${next ? shown(next) : 'no URL'}, which is not followed`,
    );
  }

  async #isPrivateHost(url: URL): Promise<boolean> {
    const address = await addressOf(url.hostname);
    return address !== undefined && this.#isPrivate(address);
  }

  #isPrivate(address: string): boolean {
    return (this.#options.isPrivate ?? isPrivateAddress)(address);
  }

  async #request(
    url: URL,
    { headers, signal, isGuarded }: { headers: RequestHeaders; signal: AbortSignal; isGuarded: boolean },
  ): Promise<FileResponse> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isGuarded && isIP(host) && this.#isPrivate(host)) throw privateRedirect(host);
    const { connectMs, responseMs, userAgent } = this.#options;
    const { default: got } = await import('got'); // loaded by the first download: most runs have none
    const agent = await this.#agentsFor(url);
    const body = got.stream(url, {
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers },
      agent,
      decompress: false,
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs, response: responseMs },
      ...(isGuarded && { dnsLookup: this.#guardedLookup }),
    });
    // The reader of the body sees its errors too; this keeps one that nobody reads any more from ending the process.
    body.on('error', () => undefined);
    const abort = () => body.destroy();
    signal.addEventListener('abort', abort, { once: true });
    body.once('close', () => signal.removeEventListener('abort', abort));
    try {
      const [response] = (await once(body, 'response', { signal })) as [IncomingMessage];
      return { url, status: response.statusCode ?? 0, headers: response.headers, body };
    } catch (error) {
      body.destroy();
      signal.throwIfAborted();
      const fault = asFault(error);
      throw fault.reason === 'network'
        ? new TransferFault('network', `${shown(url)}: ${fault.message}`, { isRetryable: true, cause: error })
        : fault;
    }
  }

  readonly #guardedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const inside = error ? undefined : addresses.find(({ address }) => this.#isPrivate(address));
      const refusal = error ?? (inside && privateRedirect(`${hostname} (${inside.address})`));
      if (refusal) callback(refusal, '');
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };

  async #agentsFor(url: URL): Promise<{ http: HttpAgent; https: HttpsAgent }> {
    const { getProxyForUrl } = await import('proxy-from-env');
    const proxy = getProxyForUrl(url.href);
    const known = this.#agents.get(proxy);
    if (known) return known;
    const options = { keepAlive: true };
    const agents = proxy
      ? await proxyAgents(proxy, options)
      : { http: new HttpAgent(options), https: new HttpsAgent(options) };
    const other = this.#agents.get(proxy); // a request beside this one may have been faster
    if (other) return other;
    this.#agents.set(proxy, agents);
    return agents;
  }
}

async function proxyAgents(
  proxy: string,
  options: { readonly keepAlive: boolean },
): Promise<{ http: HttpAgent; https: HttpsAgent }> {
  const { HttpProxyAgent } = await import('http-proxy-agent');
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return {
    http: new HttpProxyAgent(proxy, options),
    https: new HttpsProxyAgent(proxy, options) as unknown as HttpsAgent,
  };
}

/** A URL as messages show it: without user, password and query, which may be secrets. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function privateRedirect(target: string): TransferFault {
  return new TransferFault('redirect', `a redirect leads into a private network: ${target}`);
}
