import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { CommandLine } from '../../support/command-line.ts';
import { gradient } from '../../support/images/images.ts';
import { smallNetwork, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import { writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const RETINAFACE = { name: 'retinaface-resnet50', file: 'detection_Resnet50_Final.pth', bytes: 109497761 };
const CODEFORMER = { name: 'codeformer', file: 'codeformer.pth', bytes: 376637898 };
const PARSENET = { name: 'parsenet', file: 'parsing_parsenet.pth', bytes: 85331193 };

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Document {
  readonly results: readonly {
    readonly input: string;
    readonly output: string;
    readonly would_be?: { readonly format: string; readonly input: Size; readonly output: Size };
    readonly info?: { readonly format: string; readonly input: Size; readonly output: Size };
  }[];
  readonly failed: readonly object[];
}

let folder: TemporaryFolder;
let commandLine: CommandLine;

beforeAll(async () => {
  commandLine = await CommandLine.build();
});
afterAll(() => commandLine.remove());
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(at('pics'));
  await writeFile(at('pics/colour.png'), writePng(gradient({ width: 20, height: 10, channels: 3, depth: 8 })));
  await writeFile(at('pics/gray.png'), writePng(gradient({ width: 10, height: 10, channels: 1, depth: 16 })));
  const photo = sharp({ create: { width: 24, height: 16, channels: 3, background: '#853' } });
  await photo.jpeg().withMetadata({ orientation: 6 }).toFile(at('pics/turned.jpg'));
});
afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);

/** Downloads are on, from a mirror that is not there: a command that fetched would fail. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  commandLine.run(args, {
    cwd: folder.path,
    env: {
      HOME: folder.path,
      MODELS_DIR: at('models'),
      MODEL_DOWNLOADS: 'true',
      MODEL_MIRROR: 'http://127.0.0.1:9/',
      ...env,
    },
  });

/** All that lies in the folder, and when each was written. */
async function everything(): Promise<readonly string[]> {
  const names = (await readdir(folder.path, { recursive: true })).sort();
  return Promise.all(names.map(async (name) => `${name} ${(await stat(at(name))).mtimeMs}`));
}

describe('--dry-run', () => {
  it('tells what would come of each picture, and writes, makes and fetches nothing', async () => {
    await writeFile(at('pics/notes.png'), 'no picture');
    await mkdir(at('models'));
    await writeFile(at('models/gfpgan.part'), '');
    const before = await everything();
    const [upscaled, restored, face, aligned, colored] = await Promise.all([
      run(['upscale', 'pics', '-o', 'big', '--scale', '3.5', '--dry-run']),
      run(['restore', 'pics/gray.png', '-o', 'out', '--steps', 'old-photo', '--dry-run', '--json']),
      run([
        'face',
        'pics/turned.jpg',
        '-o',
        'out',
        '--upscale',
        '2',
        '--upscaler',
        'LANCZOS',
        '--face-model',
        'codeformer',
        '--dry-run',
        '--json',
      ]),
      run([
        'face',
        'pics/gray.png',
        '-o',
        'out',
        '--aligned',
        '--size',
        '64',
        '--dry-run',
        '--face-model',
        'realesrgan',
      ]),
      run(['colorize', 'pics/gray.png', '-o', 'color.webp', '--model', 'paper_tiny', '--dry-run']),
    ]);
    expect(upscaled.stdout.split('\n')).toEqual([
      `${at('pics/colour.png')} -> ${at('big/colour_upscaled.png')}  would be 20x10 -> 70x35, REALESRGAN_X4PLUS (RealESRGAN_x4plus.pth)`,
      '  note: RealESRGAN_x4plus.pth would be downloaded first: 67040989 bytes',
      `${at('pics/gray.png')} -> ${at('big/gray_upscaled.png')}  would be 10x10 -> 35x35, REALESRGAN_X4PLUS (RealESRGAN_x4plus.pth)`,
      `${at('pics/turned.jpg')} -> ${at('big/turned_upscaled.jpg')}  would be 16x24 -> 56x84, REALESRGAN_X4PLUS (RealESRGAN_x4plus.pth)`,
      '',
    ]);
    expect([upscaled.code, upscaled.stderr]).toEqual([
      1,
      expect.stringMatching(/notes\.png +ERR_BAD_IMAGE +expected JPEG, .* got a text file\n.*1 of 4 images failed/),
    ]);
    expect(JSON.parse(restored.stdout)).toMatchObject({
      results: [
        {
          would_be: {
            steps: ['face', 'colorize'],
            downloads: [RETINAFACE, CODEFORMER, PARSENET, { file: 'ColorizeArtistic_gen.pth' }],
          },
        },
      ],
      failed: [],
    });
    expect(JSON.parse(face.stdout)).toMatchObject({
      results: [
        {
          output: at('out/turned_restored.jpg'),
          would_be: {
            upscaler: 'LANCZOS',
            output: { width: 32, height: 48 },
            downloads: [RETINAFACE, CODEFORMER, PARSENET],
          },
        },
      ],
    });
    expect(aligned.stdout).toMatch(/gray_restored\.png {2}would be 10x10 -> 64x64, .*RealESRGAN_x4plus\.pth/);
    expect(colored.stdout).toMatch(
      /color\.webp .*\n.*ddcolor_paper_tiny\.pth would be downloaded first: its size is not published\n/,
    );
    for (const { code } of [restored, face, aligned, colored]) expect(code).toBe(0);
    expect(await everything()).toEqual(before);
  });

  it('refuses what the command itself would refuse', async () => {
    const asked = ['upscale', 'pics/colour.png', '--dry-run'];
    const [large, taken, unknown, dirty, remote, offline] = await Promise.all([
      run([...asked, '-o', 'out', '--width', '70000', '--height', '70000']),
      run([...asked, '-o', 'pics/gray.png']),
      run([...asked, '-o', 'out', '-u', 'nothing']),
      run([...asked, '-o', 'out', '--clean', 'nothing']),
      run([...asked, '-o', 'out', '--server', 'http://127.0.0.1:9']),
      run(['face', 'pics/colour.png', '-o', 'out', '--dry-run'], { MODEL_DOWNLOADS: 'false' }),
    ]);
    expect([large.code, large.stderr]).toEqual([1, expect.stringContaining('MAX_OUTPUT_PIXELS')]);
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('--overwrite')]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("there is no 'nothing'")]);
    expect([dirty.code, dirty.stderr]).toEqual([2, expect.stringContaining("clean: there is no 'nothing'")]);
    expect([remote.code, remote.stderr]).toEqual([2, expect.stringContaining('--dry-run')]);
    expect([offline.code, offline.stderr]).toEqual([
      1,
      expect.stringContaining('retinaface-resnet50 is not installed'),
    ]);
  });

  it('foresees the places, formats and sizes that the command then makes', async () => {
    const network = smallNetwork('new-x2-rgb-to-rgba');
    writeSmallNetwork(at('own.pth'), network, 'pth-zip');
    const command = ['upscale', 'pics', '-o', 'big', '-u', './own.pth', '--json'];
    const foreseen = JSON.parse((await run([...command, '--dry-run'])).stdout) as Document;
    const made = JSON.parse((await run(command)).stdout) as Document;
    const told = ({ results }: Document) =>
      results.map(({ input, output, would_be: foreseenOf, info }) => {
        const { format, input: from, output: to } = foreseenOf ?? info ?? { format: '', input: 0, output: 0 };
        return { input, output, format, from, to };
      });
    expect(made.results).toHaveLength(3);
    expect(told(foreseen)).toEqual(told(made));
    const again = await run([...command, '--dry-run', '--overwrite']);
    expect((JSON.parse(again.stdout) as Document).results).toHaveLength(3);
  });
});
