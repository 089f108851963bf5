import { readFileSync } from 'node:fs';

/**
 * The most memory that a process has held since it began its program, in bytes (Linux); 0 for one that has ended. Unlike
 * `resourceUsage().maxRSS`, which counts what the parent held when it forked the child.
 */
export function peakMemory(pid: number | 'self'): number {
  try {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}
