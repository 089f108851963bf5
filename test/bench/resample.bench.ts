/**
 * Resampling beside Pillow's (`$PYTHON`, where it has Pillow), one after the other in every round. Milliseconds are of the processor,
 * so that other programs' do not count: the least of each, and the median of the rounds' ratios.
 */
import type { BitDepth, Channels } from '../../app/imaging/image.ts';
import type { Filter } from '../../app/imaging/pillow/resample.ts';
import { resampleImage } from '../../app/imaging/pillow/resample.ts';
import { noise } from '../support/images/images.ts';
import { quantile } from '../support/servers/open-loop.ts';
import { Peers } from './peers.ts';

type Size = readonly [width: number, height: number];
type Case = readonly [mode: keyof typeof KINDS, filter: Filter, from: Size, to: Size];

const KINDS = { L: [1, 8], LA: [2, 8], RGB: [3, 8], RGBA: [4, 8], 'I;16': [1, 16] } as const satisfies Readonly<
  Record<string, readonly [Channels, BitDepth]>
>;

const CASES: readonly Case[] = [
  ['RGB', 'LANCZOS', [512, 512], [1024, 1024]],
  ['RGB', 'LANCZOS', [512, 512], [2048, 2048]],
  ['RGB', 'LANCZOS', [1024, 1024], [2048, 2048]],
  ['RGB', 'LANCZOS', [2048, 2048], [1024, 1024]],
  ['RGB', 'LANCZOS', [4096, 4096], [2048, 2048]],
  ['RGB', 'LANCZOS', [3000, 2000], [1920, 1280]],
  ['RGB', 'LANCZOS', [4000, 3000], [256, 192]],
  ['RGB', 'BICUBIC', [512, 512], [2048, 2048]],
  ['RGB', 'BILINEAR', [512, 512], [2048, 2048]],
  ['RGB', 'NEAREST', [512, 512], [2048, 2048]],
  ['RGB', 'BICUBIC', [4096, 4096], [2048, 2048]],
  ['RGB', 'BILINEAR', [4096, 4096], [2048, 2048]],
  ['RGB', 'NEAREST', [4096, 4096], [2048, 2048]],
  ['RGB', 'LANCZOS', [64, 64], [256, 256]],
  ['L', 'LANCZOS', [512, 512], [2048, 2048]],
  ['LA', 'LANCZOS', [512, 512], [2048, 2048]],
  ['RGBA', 'LANCZOS', [512, 512], [2048, 2048]],
  ['I;16', 'LANCZOS', [512, 512], [2048, 2048]],
  ['RGBA', 'LANCZOS', [2048, 2048], [1024, 1024]],
  ['I;16', 'LANCZOS', [2048, 2048], [1024, 1024]],
];

const [rounds = '9'] = process.argv.slice(2);
const peers = await Peers.start('resample_peer.py');
for (const given of CASES) await measure(given);
peers.stop();

async function measure(given: Case): Promise<void> {
  const [mode, filter, [fromWidth, fromHeight], [width, height]] = given;
  const [channels, depth] = KINDS[mode];
  const image = noise({ width: fromWidth, height: fromHeight, channels, depth });
  const [own, pillows, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < Number(rounds); round++) {
    const before = process.cpuUsage();
    resampleImage(image, width, height, filter);
    const { user, system } = process.cpuUsage(before);
    own.push((user + system) / 1000);
    const { pillow } = await peers.round(JSON.stringify(given));
    if (pillow === undefined) continue;
    pillows.push(pillow);
    ratios.push((user + system) / 1000 / pillow);
  }
  const name = `${mode} ${filter} ${fromWidth}x${fromHeight} to ${width}x${height}`;
  const beside = `Pillow ${Math.min(...pillows).toFixed(1)} ms: ${quantile(ratios, 0.5).toFixed(2)}`;
  console.log(`${name.padEnd(42)} ${Math.min(...own).toFixed(1)} ms; ${beside}`);
}
