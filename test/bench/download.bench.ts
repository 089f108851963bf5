/**
 * What the downloader does on this machine: `npx tsx test/bench/download.bench.ts`. Prints, for a server that limits every
 * connection to 2 MB/s, how much faster eight connections are than one; the rate against a single plain request on a server
 * without limits; the longest pause of the event loop meanwhile; and the peak memory for a small and a large file.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ModelDownloader } from '../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../app/catalog/remote-model.ts';
import { bundleDownloadChild, DownloadProcess } from '../support/servers/download-process.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../support/servers/fault-server.ts';

const MB = 1_000_000;
const LIMITED = { size: 64 * MB, bytesPerSecond: 2 * MB };
const FREE = { size: 350 * MB };
const SMALL = { size: 35 * MB };

interface Served {
  readonly url: string;
  readonly size: number;
  readonly sha256: string;
}

if (process.argv[2] === 'serve') await serve();
else await measure();

/** The server is a process of its own, so that its work is not counted as the downloader's. */
async function serve(): Promise<void> {
  const server = await FaultServer.start();
  const serveFile = (path: string, size: number, bytesPerSecond?: number): Served => {
    const content = madeUpModel(size);
    const faults = { pieceSize: 256 * 1024, ...(bytesPerSecond !== undefined && { bytesPerSecond }) };
    return { url: server.serve(path, content, faults), size, sha256: sha256OfContent(content) };
  };
  process.send?.({
    limited: serveFile('/limited.pth', LIMITED.size, LIMITED.bytesPerSecond),
    free: serveFile('/free.pth', FREE.size),
    small: serveFile('/small.pth', SMALL.size),
  });
}

async function measure(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'hiresfix-bench-'));
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: ['--import', 'tsx'] });
  try {
    const [served] = (await once(child, 'message')) as [Record<'limited' | 'free' | 'small', Served>];
    await limitedConnections(directory, served.limited);
    await freeConnection(directory, served.free);
    await memory(directory, [served.small, served.free]);
  } finally {
    child.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function limitedConnections(directory: string, served: Served): Promise<void> {
  const times = new Map<number, number>();
  for (const segments of [8, 1]) times.set(segments, await timeOf(directory, segments, served));
  const [eight = 0, one = 0] = [times.get(8), times.get(1)];
  report(
    `2 MB/s per connection, ${LIMITED.size / MB} MB`,
    `one ${seconds(one)}, eight ${seconds(eight)}: ${(one / eight).toFixed(2)} times as fast`,
  );
}

async function freeConnection(directory: string, served: Served): Promise<void> {
  const plain = await plainRequest(join(directory, 'plain'), served);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const eight = await timeOf(directory, 8, served);
  delay.disable();
  const rate = (ms: number) => `${(served.size / MB / (ms / 1000)).toFixed(0)} MB/s`;
  report(
    `no limit, ${served.size / MB} MB`,
    `plain request ${rate(plain)}; eight connections, synced and hashed ${rate(eight)}`,
  );
  report(
    'event loop meanwhile',
    `p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms, longest ${(delay.max / 1e6).toFixed(0)} ms`,
  );
}

async function memory(directory: string, files: readonly Served[]): Promise<void> {
  const program = await bundleDownloadChild(directory);
  for (const [index, served] of files.entries()) {
    const wanted = model(`Memory-${index}.pth`, served);
    const result = await new DownloadProcess(program, { options: { directory }, model: wanted }).result();
    report(`peak memory, ${served.size / MB} MB`, `${(Number(result?.['peakRss']) / MB).toFixed(0)} MB`);
  }
}

async function timeOf(directory: string, segments: number, served: Served): Promise<number> {
  const startedAt = performance.now();
  await new ModelDownloader({ directory, segments }).download(model(`${segments}-${served.size}.pth`, served));
  return performance.now() - startedAt;
}

async function plainRequest(file: string, { url }: Served): Promise<number> {
  const startedAt = performance.now();
  const request = get(url);
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
  await pipeline(response, createWriteStream(file));
  return performance.now() - startedAt;
}

function model(filename: string, { url, size, sha256 }: Served): RemoteModel {
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'bench', source: 'bench' };
  return { name: 'bench', filename, url, size, sha256, ...rest };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function report(what: string, result: string): void {
  console.log(`${what.padEnd(40)} ${result}`);
}
