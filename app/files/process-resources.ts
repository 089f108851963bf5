import { readFileSync } from 'node:fs';

export interface ProcessResources {
  /** Processor time so far, of the process itself. */
  readonly cpuMs: number;
  /** Resident. */
  readonly memoryBytes: number;
}

/** Linux counts processor time in hundredths of a second, whatever its clock runs at (USER_HZ, `man 5 proc_pid_stat`). */
const TICK_MS = 10;

/** What a process has taken; undefined where that cannot be seen: it has ended, or the system is not Linux. */
export function resourcesOf(pid: number): ProcessResources | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, which may hold anything; after it comes the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return { cpuMs: (field(14) + field(15)) * TICK_MS, memoryBytes: Number(kilobytes) * 1024 };
  } catch {
    return undefined;
  }
}
