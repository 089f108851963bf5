import { existsSync, readFileSync } from 'node:fs';

/** Where Linux lists what a CPU can do. */
const CPUINFO = '/proc/cpuinfo';

/** Whether this CPU adds up products of bytes without losing any, as the int8 forms of official models need it: of x86 only what has VNNI does. */
export function hasByteProducts(): boolean {
  if (process.arch !== 'x64') return true;
  return existsSync(CPUINFO) && /\b(avx512_vnni|avx_vnni)\b/.test(readFileSync(CPUINFO, 'utf8'));
}
