import type { RemoteModel } from '../remote-model.ts';
import { DOWNLOAD_LIMITS } from './download-limits.ts';
import { FileClient, shown } from './file-client.ts';
import { probeSource } from './source-probe.ts';
import { asFault } from './transfer-fault.ts';

/** Whether models can be fetched, and from where or why not. */
export interface SourceReach {
  readonly isReachable: boolean;
  /** The host that was asked last. */
  readonly host: string;
  /** Of every source that would not do, in a line. */
  readonly problems: readonly string[];
}

/** Where a model is fetched from, in the order in which that is tried: from the user's mirror, then as the catalogue says. */
export function modelSources({ filename, url, mirrors }: RemoteModel, mirror: string | undefined): URL[] {
  const first = mirror === undefined ? [] : [new URL(filename, mirror.endsWith('/') ? mirror : `${mirror}/`).href];
  return [...new Set([...first, url, ...mirrors])].map((source) => new URL(source));
}

/**
 * Asks sources for the first bytes of their file, one after another until one has them, as a download would: by the proxies of the
 * environment. Nothing is kept.
 * @param limitMs how long each may take
 */
export async function reachSources(sources: readonly URL[], limitMs: number): Promise<SourceReach> {
  const limits = { ...DOWNLOAD_LIMITS, connectMs: limitMs, responseMs: limitMs };
  const client = new FileClient({ userAgent: 'hiresfix', ...limits });
  const problems: string[] = [];
  try {
    for (const url of sources) {
      const problem = await problemWith(url, client, limitMs);
      if (problem === undefined) return { isReachable: true, host: url.host, problems };
      problems.push(problem);
    }
  } finally {
    client.close();
  }
  return { isReachable: false, host: sources.at(-1)?.host ?? '', problems };
}

async function problemWith(url: URL, client: FileClient, limitMs: number): Promise<string | undefined> {
  const signal = AbortSignal.timeout(limitMs);
  try {
    const found = await probeSource(client, url, { signal, stall: DOWNLOAD_LIMITS.stall });
    if (found.kind === 'stream') found.response.body.destroy();
    return undefined;
  } catch (error) {
    if (signal.aborted) return `${shown(url)}: no answer within ${limitMs / 1000} s`;
    return asFault(error).message;
  }
}
