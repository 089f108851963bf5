import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { childProcesses } from '../child-processes.ts';
import { peakMemory } from '../peak-memory.ts';

export interface MeasuredRun {
  readonly code: number | null;
  readonly stderr: string;
  /** Of all its processes together, in seconds. */
  readonly cpuSeconds: number;
  /** The most that one of its processes held, in bytes. */
  readonly peakBytes: number;
}

const LOOK_MS = 15;
/** What bash prints by `times`: the processor time of itself, then of what it waited for. */
const TIMES = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/;

/** Runs Node with `args` in `cwd`, and sees what that and its children take; Linux, with bash. */
export async function measuredRun(args: readonly string[], cwd: string): Promise<MeasuredRun> {
  const shell = spawn(
    'bash',
    ['-c', '"$@" > /dev/null; code=$?; times; exit $code', 'bash', process.execPath, ...args],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: cwd, MODEL_DOWNLOADS: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [stdout, stderr, peakBytes] = ['', '', 0];
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const look = setInterval(() => {
    for (const pid of descendants(shell.pid ?? 0)) peakBytes = Math.max(peakBytes, peakMemory(pid));
  }, LOOK_MS);
  const [code] = (await once(shell, 'close')) as [number | null];
  clearInterval(look);
  const [, minutes = NaN, seconds = NaN, more = NaN, rest = NaN] =
    TIMES.exec(stdout.trim().split('\n').at(-1) ?? '')?.map(Number) ?? [];
  return { code, stderr, cpuSeconds: 60 * (minutes + more) + seconds + rest, peakBytes };
}

function descendants(pid: number): number[] {
  return childProcesses(pid).flatMap((child) => [child, ...descendants(child)]);
}
