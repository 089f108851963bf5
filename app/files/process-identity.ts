import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './error-code.ts';

/** Which process holds something, so that others can tell whether it still runs. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the kernel's clock ticks; null where the system does not tell. Pids are used again. */
  readonly startedAt: string | null;
  /** Pids mean something only within one scope: machine, boot and container. */
  readonly scope: string;
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startedAt: startTime(process.pid) ?? null, scope: ownScope() };
}

/** Whether a process still runs; undefined where it cannot be told from here (another machine or container). */
export function isRunning(identity: ProcessIdentity): boolean | undefined {
  if (identity.scope !== ownScope()) return undefined;
  if (identity.startedAt !== null) return startTime(identity.pid) === identity.startedAt;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM'; // it runs, and is somebody else's
  }
  return undefined; // a process of that pid runs, but whether it is the same one is not known
}

/**
 * The fields of `/proc/<pid>/stat` from the third on, each at its number in proc(5): 3 the state, 14 and 15 the CPU time in
 * ticks, 22 the start. Undefined where the process or the system does not tell.
 */
export function processStat(pid: number): Readonly<Record<number, string>> | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the second, the command, may hold blanks and brackets
  return Object.fromEntries(fields.map((field, index) => [index + 3, field]));
}

function ownScope(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pids = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return [hostname(), boot, pids].filter((part) => part !== undefined).join(' ');
}

function startTime(pid: number): string | undefined {
  const stat = processStat(pid);
  return stat?.[3] === 'Z' ? undefined : stat?.[22]; // a zombie no longer runs
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
