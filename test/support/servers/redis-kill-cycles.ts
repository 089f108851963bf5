import { setTimeout as sleep } from 'node:timers/promises';
import { childProcesses } from '../child-processes.ts';
import { checkResults, INTERRUPTED, killedImage, KillLedger, quiesce, random, submitUntil } from './kill-ledger.ts';
import type { RedisServer } from './redis-server.ts';
import type { ServeProcess } from './serve-process.ts';
import { serveProcess } from './serve-process.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';

const SERVERS = 3;
const CLIENTS = 3;
/** Longer than a server keeps what it runs without a word. */
const PAUSE_MS = 20_000;

/** What goes wrong: a server is killed, its workers are, it stands still for longer than its lease, or Redis is killed. */
export type Fault = 'server' | 'workers' | 'pause' | 'redis';

export interface RedisCycleReport {
  readonly accepted: number;
  /** Requests that were refused, or whose answer never came. */
  readonly unknown: number;
  readonly completed: number;
  /** Failed because they were killed as often as a job may be. */
  readonly failed: number;
  /** Every promise that was broken, in words; none is what is wanted. */
  readonly broken: readonly string[];
}

/**
 * Three servers over one Redis and one pair of folders, and one fault after another while clients submit to all of them and
 * look. Nothing that was answered with 202 may be lost, be delivered in part, or end twice.
 */
export async function redisKillCycles(
  { redis, folder }: { readonly redis: RedisServer; readonly folder: TemporaryFolder },
  faults: readonly Fault[],
  seed: number,
): Promise<RedisCycleReport> {
  const ledger = new KillLedger();
  const next = random(seed);
  const image = await killedImage();
  const start = (): Promise<ServeProcess> =>
    serveProcess(folder.path, { MAX_QUEUE: '100000', REDIS_URL: redis.url, LOG_LEVEL: 'error' });
  const servers = await Promise.all(Array.from({ length: SERVERS }, start));
  for (const [cycle, fault] of faults.entries()) {
    const stop = new AbortController();
    const clients = Array.from({ length: CLIENTS }, (_, client) => {
      const url = servers[client % SERVERS]?.url ?? '';
      return submitUntil(stop.signal, { url, image, ledger, name: `${cycle}-${client}`, mayBeAway: true });
    });
    await sleep(20 + next(cycle % 3 === 0 ? 3000 : 400)); // some while jobs come in, some while they run
    await suffer(fault, { redis, servers, victim: next(SERVERS), start });
    stop.abort();
    await Promise.all(clients);
  }
  const urls = servers.map(({ url }) => url);
  await Promise.all(urls.map(untilReady));
  for (const url of urls) await quiesce(url, ledger);
  await checkResults(urls[next(SERVERS)] ?? '', ledger);
  await Promise.all(servers.map((server) => server.kill()));
  return reportOf(ledger);
}

/** What became of all that was accepted. */
export function reportOf(ledger: KillLedger): RedisCycleReport {
  const ends = [...ledger.ends.values()];
  return {
    accepted: ledger.accepted.size,
    unknown: ledger.unknown,
    completed: ends.filter((end) => end.startsWith('completed')).length,
    failed: ends.filter((end) => end.startsWith(`failed ${INTERRUPTED}`) || end.startsWith('failed ERR_WORKER')).length,
    broken: ledger.broken,
  };
}

/** What a fault strikes, and how its victim is started again. */
export interface Scene {
  readonly redis: RedisServer;
  readonly servers: ServeProcess[];
  readonly victim: number;
  readonly start: () => Promise<ServeProcess>;
}

/** One fault, and the recovery from it as far as somebody else has to see to that. */
export async function suffer(fault: Fault, { redis, servers, victim, start }: Scene): Promise<void> {
  const server = servers[victim];
  if (!server) return;
  if (fault === 'server') {
    await server.kill();
    servers[victim] = await start();
  } else if (fault === 'workers') {
    for (const pid of childProcesses(server.pid)) process.kill(pid, 'SIGKILL');
  } else if (fault === 'pause') {
    server.signal('SIGSTOP');
    await sleep(PAUSE_MS);
    server.signal('SIGCONT');
  } else {
    await redis.kill();
    await sleep(500);
    await redis.resume();
  }
}

export async function untilReady(url: string): Promise<void> {
  while ((await fetch(`${url}/health/ready`)).status !== 200) await sleep(50);
}
