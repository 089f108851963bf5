import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { checkResults, killedImage, KillLedger, quiesce, random, submitUntil } from './kill-ledger.ts';
import type { Fault, RedisCycleReport } from './redis-kill-cycles.ts';
import { reportOf, suffer, untilReady } from './redis-kill-cycles.ts';
import type { RedisServer } from './redis-server.ts';
import type { S3Server } from './s3-server.ts';
import type { ServeProcess } from './serve-process.ts';
import { serveProcess } from './serve-process.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';

const FRONTS = 2;
const WORKERS = 2;
const CLIENTS = 6;
/** A hash, a field for each job that waits; autoscalers read it too. */
const WAITING_KEY = '{hiresfix}:images:waiting';
const MAX_QUEUE = 12;
const PER_MINUTE = 900;
const MINUTE_MS = 60_000;
const KEYS = { steady: 'key-of-a-steady-caller', greedy: 'key-of-a-greedy-caller' };
/** Who asks without rest, this many at a time. */
const GREEDY_AT_ONCE = 4;

export interface ClusterReport extends RedisCycleReport {
  /** Servers that only accept, servers that work, and workers' processes that were killed. */
  readonly kills: Readonly<Record<'accepting' | 'working' | 'workers', number>>;
  /** The most jobs that waited at once, and answers that asked for patience. */
  readonly mostWaiting: number;
  readonly postponed: number;
  /** Of the greedy caller: what it was granted in each minute, and how often it was refused. */
  readonly grantedByMinute: readonly number[];
  readonly refused: number;
}

/**
 * Two servers that only accept, two that work, one Redis and one object store: no folder is shared. For `ms` clients submit to
 * both of the first while one server after another is killed. Nothing that was answered with 202 may be lost or end twice, and
 * no more may wait, and no caller be granted more, than the limits of one server allow.
 */
export async function clusterKills(
  {
    redis,
    storage,
    folder,
  }: { readonly redis: RedisServer; readonly storage: S3Server; readonly folder: TemporaryFolder },
  { ms, seed }: { readonly ms: number; readonly seed: number },
): Promise<ClusterReport> {
  const ledger = new KillLedger({ 'X-API-KEY': KEYS.steady });
  const start = (index: number): Promise<ServeProcess> =>
    serveProcess(join(folder.path, `node-${index}`), {
      REDIS_URL: redis.url,
      ...storage.env,
      WORKERS: index < FRONTS ? '0' : '1',
      API_KEY: Object.values(KEYS).join(','),
      MAX_QUEUE: String(MAX_QUEUE),
      RATE_LIMIT_PER_MINUTE: String(PER_MINUTE),
    });
  const servers = await Promise.all(Array.from({ length: FRONTS + WORKERS }, (_, index) => start(index)));
  const fronts = (): readonly string[] => servers.slice(0, FRONTS).map(({ url }) => url);
  const end = new AbortController();
  const [waiting, greedy] = [watchWaiting(redis.url, end.signal), askGreedily(fronts, end.signal)];
  const kills = await killWhileSubmitting({ redis, servers, start, fronts, ledger }, { ms, seed });
  end.abort();
  await Promise.all(servers.map(({ url }) => untilReady(url)));
  for (const url of fronts()) await quiesce(url, ledger);
  await checkResults(fronts()[0] ?? '', ledger);
  const [mostWaiting, { grantedByMinute, refused }] = await Promise.all([waiting, greedy]);
  if (mostWaiting > MAX_QUEUE) ledger.broken.push(`${mostWaiting} jobs waited, of at most ${MAX_QUEUE}`);
  for (const granted of grantedByMinute) {
    if (granted > PER_MINUTE) ledger.broken.push(`${granted} requests were granted in a minute of ${PER_MINUTE}`);
  }
  await Promise.all(servers.map((server) => server.kill()));
  return { ...reportOf(ledger), kills, mostWaiting, postponed: ledger.postponed, grantedByMinute, refused };
}

interface Cluster {
  readonly redis: RedisServer;
  readonly servers: ServeProcess[];
  readonly start: (index: number) => Promise<ServeProcess>;
  readonly fronts: () => readonly string[];
  readonly ledger: KillLedger;
}

async function killWhileSubmitting(
  { redis, servers, start, fronts, ledger }: Cluster,
  { ms, seed }: { readonly ms: number; readonly seed: number },
): Promise<ClusterReport['kills']> {
  const image = await killedImage();
  const next = random(seed);
  const kills = { accepting: 0, working: 0, workers: 0 };
  const startedAt = performance.now();
  for (let cycle = 0; performance.now() - startedAt < ms; cycle++) {
    const stop = new AbortController();
    const clients = Array.from({ length: CLIENTS }, (_, client) => {
      const url = fronts()[client % FRONTS] ?? '';
      return submitUntil(stop.signal, { url, image, ledger, name: `${cycle}-${client}`, mayBeAway: true });
    });
    await sleep(20 + next(cycle % 3 === 0 ? 3000 : 600)); // some while jobs come in, some while they run
    const fault: Fault = cycle % 3 === 2 ? 'workers' : 'server';
    const victim = cycle % 3 === 0 ? next(FRONTS) : FRONTS + next(WORKERS);
    await suffer(fault, { redis, servers, victim, start: () => start(victim) });
    kills[fault === 'workers' ? 'workers' : victim < FRONTS ? 'accepting' : 'working']++;
    stop.abort();
    await Promise.all(clients);
  }
  return kills;
}

/** The most jobs that wait at once, until `signal`. */
async function watchWaiting(url: string, signal: AbortSignal): Promise<number> {
  const connection = new Redis(url);
  let most = 0;
  while (!signal.aborted) {
    most = Math.max(most, await connection.hlen(WAITING_KEY));
    await sleep(5);
  }
  connection.disconnect();
  return most;
}

/** Asks both servers in turn, without rest, until `signal`; minutes are told apart by when they end, as the answers say. */
async function askGreedily(
  fronts: () => readonly string[],
  signal: AbortSignal,
): Promise<Pick<ClusterReport, 'grantedByMinute' | 'refused'>> {
  const minutes: { readonly endsAt: number; granted: number }[] = [];
  let refused = 0;
  let asked = 0;
  const count = (endsAt: number): void => {
    const minute = minutes.find((known) => Math.abs(known.endsAt - endsAt) < MINUTE_MS / 2);
    if (minute) minute.granted++;
    else minutes.push({ endsAt, granted: 1 });
  };
  const ask = async (): Promise<void> => {
    while (!signal.aborted) {
      const url = fronts()[asked++ % FRONTS] ?? '';
      const answer = await fetch(`${url}/jobs`, { headers: { 'X-API-KEY': KEYS.greedy } }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      if (answer?.status === 200) count(performance.now() + 1000 * Number(answer.headers.get('RateLimit-Reset')));
      else if (answer?.status === 429) refused++;
      if (answer?.status !== 200) await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: GREEDY_AT_ONCE }, ask));
  return { grantedByMinute: minutes.map(({ granted }) => granted), refused };
}
