import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './transfer-fault.ts';

/** Which process holds something, so that others can tell whether it still runs. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the kernel's clock ticks; null where the system does not tell. Pids are used again. */
  readonly startedAt: string | null;
  /** Pids mean something only within one scope: machine, boot and container. */
  readonly scope: string;
}

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

function ownScope(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pids = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return [hostname(), boot, pids].filter((part) => part !== undefined).join(' ');
}

/** Field 22 of `/proc/<pid>/stat`; the second field may hold blanks and brackets. A zombie no longer runs. */
function startTime(pid: number): string | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
