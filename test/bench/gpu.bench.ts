/**
 * `npm run bench:gpu [-- PATTERN [SIDE [DEVICE]]]`: published networks at full size, with pseudo-random weights, each in fresh processes: milliseconds
 * to load, of the first run and of later ones, MiB of the card, levels from the CPU's result; beside them PyTorch (the Python of $PYTHON, with
 * spandrel), where it sees a card. `DEVICE` is `cuda`; `cpu` tries the script itself.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listCards } from '../../app/inference/cards.ts';
import { missingForCuda } from '../../app/inference/cuda-provider.ts';
import { openNetwork } from '../../app/processing/networks/open-network.ts';
import { createHashedCheckpoint } from '../support/checkpoints/hashed-checkpoint.ts';

/** What a run told of a network. */
interface Row {
  readonly load: number;
  readonly first: number;
  readonly later: number;
  readonly memory?: number;
  readonly levels?: number;
  readonly warning?: string;
}

const DEFAULT =
  '^(RealESRGAN_|realesr-animevideov3|spanx4|compact_x2|SwinIR-M_real|NAFNet-SIDD-width32|DRUNet|RealCUGAN_x2$|RCAN_x4)';
const MANIFESTS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url));
const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const [pattern = DEFAULT, side = '512', device = 'cuda'] = process.argv.slice(2);
if (await canRun()) {
  const names = readdirSync(MANIFESTS).map((file) => file.replace('.json', ''));
  for (const name of names.filter((one) => new RegExp(pattern).test(one))) measure(name);
}

/** Says which card there is, or why there is none. */
async function canRun(): Promise<boolean> {
  if (device !== 'cuda') return true;
  const cards = await listCards();
  const missing = missingForCuda();
  if (cards.length === 0) console.log('no figures: nvidia-smi names no CUDA card here');
  else if (missing !== undefined) console.log(`no figures: CUDA cannot be used: ${missing}`);
  else console.log(`card: ${cards.map(({ name }) => name).join(', ')}; ${side} x ${side} pixels`);
  return cards.length > 0 && missing === undefined;
}

function measure(name: string): void {
  const checkpoint = createHashedCheckpoint(name);
  try {
    const { sides } = openNetwork(checkpoint.file);
    const length = sides === 'fixed' ? String(Math.min(Number(side), 256)) : side;
    for (const numbers of ['fp32', 'fp16']) {
      const own = [...process.execArgv, pathOf('gpu-child.ts'), checkpoint.file, device, numbers, length];
      show(`${name} ${numbers} ${length}`, 'here', process.execPath, own);
      const peer = [pathOf('gpu_peer.py'), checkpoint.file, numbers, length];
      if (device === 'cuda') show(`${name} ${numbers} ${length}`, 'PyTorch', process.env['PYTHON'] ?? 'python3', peer);
    }
  } finally {
    checkpoint.remove();
  }
}

function show(what: string, who: string, program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: process.env });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !line.startsWith('{')) {
    console.log(`${what.padEnd(40)} ${who.padEnd(8)} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    return;
  }
  const { load, first, later, memory, levels, warning } = JSON.parse(line) as Row;
  const times = `load ${load.toFixed(0)}, first ${first.toFixed(0)}, then ${later.toFixed(1)} ms`;
  const others = [
    memory !== undefined && `${memory} MiB`,
    levels !== undefined && `${levels} levels from the CPU`,
    warning,
  ].filter(Boolean);
  console.log(`${what.padEnd(40)} ${who.padEnd(8)} ${[times, ...others].join('; ')}`);
}
