import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listCards } from '../../../app/inference/cards.ts';
import { missingForCuda } from '../../../app/inference/cuda-provider.ts';

/** Milliseconds to load, of the first run and of later ones; MiB of the card. */
export interface Times {
  readonly load: number;
  readonly first: number;
  readonly later: number;
  readonly memory?: number;
  readonly warning?: string;
}

/** Says which card there is, or why there is none; a device other than `cuda` tries the script itself. */
export async function canMeasure(device: string): Promise<boolean> {
  if (device !== 'cuda') return true;
  const cards = await listCards();
  const missing = missingForCuda();
  if (cards.length === 0) console.log('no figures: nvidia-smi names no CUDA card here');
  else if (missing !== undefined) console.log(`no figures: CUDA cannot be used: ${missing}`);
  else console.log(`card: ${cards.map(({ name, driver }) => `${name}, driver ${driver}`).join('; ')}`);
  return cards.length > 0 && missing === undefined;
}

/** What a module of this folder prints as its last line, in a process of its own. @throws Error with the last line of what went wrong */
export async function measureInChild<T>(module: string, ...args: readonly string[]): Promise<T> {
  return measureBy<T>(process.execPath, [...process.execArgv, pathOf(module), ...args]);
}

/** What PyTorch, in the Python of $PYTHON, takes for a checkpoint. @throws Error with the last line of what went wrong */
export async function measurePeer(
  ...args: readonly [checkpoint: string, numbers: string, side: string]
): Promise<Times> {
  return measureBy<Times>(process.env['PYTHON'] ?? 'python3', [pathOf('gpu_peer.py'), ...args]);
}

/** `load 12, first 34, then 5.6 ms` and what else there is to say. */
export function inWords({ load, first, later, memory, warning }: Times, ...others: readonly string[]): string {
  const times = `load ${load.toFixed(0)}, first ${first.toFixed(0)}, then ${later.toFixed(1)} ms`;
  return [times, memory !== undefined && `${memory} MiB`, ...others, warning].filter(Boolean).join('; ');
}

async function measureBy<T>(program: string, args: readonly string[]): Promise<T> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 2 ** 26 });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const last = said === '' ? String(error) : said.split('\n').at(-1);
    throw new Error(/^\w*Error: .*$/m.exec(said)?.[0] ?? last, { cause: error });
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
