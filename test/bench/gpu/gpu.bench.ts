/**
 * `npm run bench:gpu [-- PATTERN [SIDE [DEVICE]]]`: published networks at full size, with pseudo-random weights, each in fresh processes: milliseconds
 * to load, of the first run and of later ones, MiB of the card, levels from the CPU's result; beside them PyTorch (the Python of $PYTHON, with
 * spandrel), where it sees a card. `DEVICE` is `cuda`; `cpu` tries the script itself.
 */
import { openNetwork } from '../../../app/processing/networks/open-network.ts';
import { createHashedCheckpoint } from '../../support/checkpoints/hashed-checkpoint.ts';
import { publishedNetworks } from '../../support/checkpoints/hashed-weights.ts';
import type { Times } from './measuring.ts';
import { canMeasure, inWords, measureInChild, measurePeer } from './measuring.ts';

const DEFAULT =
  '^(RealESRGAN_|realesr-animevideov3|spanx4|compact_x2|SwinIR-M_real|NAFNet-SIDD-width32|DRUNet|RealCUGAN_x2$|RCAN_x4)';

const [pattern = DEFAULT, side = '512', device = 'cuda'] = process.argv.slice(2);
if (await canMeasure(device)) for (const name of publishedNetworks(pattern)) await measure(name);

async function measure(name: string): Promise<void> {
  const checkpoint = createHashedCheckpoint(name);
  const { file } = checkpoint;
  try {
    const length = openNetwork(file).sides === 'fixed' ? String(Math.min(Number(side), 256)) : side;
    for (const numbers of ['fp32', 'fp16']) {
      const what = `${name} ${numbers} ${length}`;
      await tell(what, 'here', async () => {
        const times = await measureInChild<Times & { levels: number }>('times-child.ts', file, device, numbers, length);
        return inWords(times, `${times.levels} levels from the CPU`);
      });
      if (device === 'cuda') await tell(what, 'PyTorch', async () => inWords(await measurePeer(file, numbers, length)));
    }
  } finally {
    checkpoint.remove();
  }
}

async function tell(what: string, who: string, measured: () => Promise<string>): Promise<void> {
  const said = await measured().catch((error: unknown) => `failed: ${String(error)}`);
  console.log(`${what.padEnd(40)} ${who.padEnd(8)} ${said}`);
}
