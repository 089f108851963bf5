import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkResults,
  INTERRUPTED,
  killedImage,
  KillLedger,
  lookUntil,
  quiesce,
  random,
  submitUntil,
} from './kill-ledger.ts';
import type { ServeProcess } from './serve-process.ts';
import { serveProcess } from './serve-process.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';

const CLIENTS = 3;

export interface CycleReport {
  readonly accepted: number;
  /** Requests whose answer never came: their jobs may exist or not. */
  readonly unknown: number;
  readonly completed: number;
  /** Failed because more than ten servers were killed at their side, which is how it has to be. */
  readonly interrupted: number;
  readonly longestStartMs: number;
  /** Every promise that was broken, in words; none is what is wanted. */
  readonly broken: readonly string[];
}

/** How far it is, after every server that was killed. */
export interface CycleProgress {
  readonly cycle: number;
  readonly accepted: number;
  readonly ended: number;
  readonly broken: number;
}

/**
 * Servers over one pair of folders, each killed (-9) at a random moment while clients submit and look; then one that is left
 * alone. Nothing that was answered with 202 may be lost, be delivered in part, or end twice.
 */
export async function killCycles(
  folder: TemporaryFolder,
  cycles: number,
  seed: number,
  told?: (progress: CycleProgress) => void,
): Promise<CycleReport> {
  const ledger = new KillLedger();
  const next = random(seed);
  const image = await killedImage();
  let longestStartMs = 0;
  const start = async (): Promise<ServeProcess> => {
    const asked = performance.now();
    const server = await serveProcess(folder.path, { MAX_QUEUE: '100000' });
    longestStartMs = Math.max(longestStartMs, performance.now() - asked);
    return server;
  };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const server = await start();
    const stop = new AbortController();
    const clients = Array.from({ length: CLIENTS }, (_, client) =>
      submitUntil(stop.signal, {
        url: server.url,
        image,
        ledger,
        name: `${cycle}-${client}`,
        always: client === 0 ? 1 : 0,
      }),
    );
    const look = lookUntil(stop.signal, server.url, ledger);
    await sleep(20 + next(cycle % 4 === 0 ? 3000 : 400)); // most die early, some while a job runs
    await server.kill();
    stop.abort();
    await Promise.all([...clients, look]);
    told?.({ cycle: cycle + 1, accepted: ledger.accepted.size, ended: ledger.ends.size, broken: ledger.broken.length });
  }
  const last = await start();
  await quiesce(last.url, ledger);
  await checkResults(last.url, ledger);
  await last.kill();
  const endedBy = (start: string): number => [...ledger.ends.values()].filter((end) => end.startsWith(start)).length;
  return {
    accepted: ledger.accepted.size,
    unknown: ledger.unknown,
    completed: endedBy('completed'),
    interrupted: endedBy(`failed ${INTERRUPTED}`),
    longestStartMs,
    broken: ledger.broken,
  };
}
