import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EvaluationView } from '../../../app/evaluation/evaluation-view.ts';
import { decodeImage } from '../../../app/imaging/codec/codec.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CLI = fileURLToPath(new URL('../../../app/cli/main.ts', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../fixtures/evaluation/', import.meta.url));
const TSX = fileURLToPath(new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function evaluate(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', TSX, CLI, 'evaluate', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('hiresfix evaluate', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  it('compares two files', async () => {
    const files = ['reference', 'candidate'].map((kind) => `${FIXTURES}rgb-${kind}.png`);
    const { code, stdout } = await evaluate(...files, '--crop-border', '5', '--y-channel', '--json');
    expect(code).toBe(0);
    const { cases } = JSON.parse(await readFile(`${FIXTURES}cases.json`, 'utf8')) as {
      cases: { name: string; crop_border: number; is_y_channel: boolean; psnr: number; ssim: number }[];
    };
    const expected = cases.find((one) => one.name === 'rgb' && one.crop_border === 5 && one.is_y_channel);
    const { psnr, ssim, files: scores } = JSON.parse(stdout) as EvaluationView;
    expect(psnr).toBeCloseTo(expected?.psnr ?? NaN, 9);
    expect(ssim).toBeCloseTo(expected?.ssim ?? NaN, 9);
    expect(scores).toMatchObject([{ psnr, ssim, name: 'rgb-reference.png', width: 37, height: 23 }]);
  });

  it('compares folders by name, reports worst first with pictures, and tells what it could not compare', async () => {
    const references = join(folder.path, 'a');
    const candidates = join(folder.path, 'b');
    const report = join(folder.path, 'report');
    for (const path of [references, candidates]) await mkdir(join(path, 'deep'), { recursive: true });
    for (const name of ['rgb', 'gray']) {
      await copyFile(`${FIXTURES}${name}-reference.png`, join(references, 'deep', `${name}.png`));
      await copyFile(`${FIXTURES}${name}-candidate.png`, join(candidates, 'deep', `${name}.png`));
    }
    await copyFile(`${FIXTURES}rgba-reference.png`, join(references, '<b>&.png'));
    await copyFile(`${FIXTURES}rgba-reference.png`, join(candidates, '<b>&.png'));
    await copyFile(`${FIXTURES}rgb-reference.png`, join(references, 'alone.png'));
    await writeFile(join(references, 'broken.png'), 'not an image');
    await writeFile(join(candidates, 'broken.png'), 'not an image');

    const { code, stdout, stderr } = await evaluate(references, candidates, '--report', report, '--json');
    expect([code, stderr.split('\n').length]).toEqual([1, 4]);
    expect(stderr).toContain('alone.png: no image of this name in');
    const view = JSON.parse(stdout) as EvaluationView;
    expect(view.failed.map(({ name, code }) => [name, code])).toEqual([
      ['alone.png', 'ERR_NOT_COMPARABLE'],
      ['broken.png', 'ERR_BAD_IMAGE'],
    ]);
    expect(view.psnr).toBeNull(); // one pair is equal
    expect(view.mean.ssim).toBeCloseTo(view.files.reduce((sum, { ssim }) => sum + ssim, 0) / 3, 12);

    const written = JSON.parse(await readFile(join(report, 'report.json'), 'utf8')) as EvaluationView;
    expect(written.files.map(({ name }) => name)).toEqual(['deep/gray.png', 'deep/rgb.png', '<b>&.png']);
    const html = await readFile(join(report, 'report.html'), 'utf8');
    expect(html).toContain('&#60;b&#62;&#38;.png');
    expect(html).not.toContain('<b>');
    const { image } = await decodeImage(join(report, 'pictures', '02.png'), { maxPixels: 2 ** 20 });
    expect([image.width, image.height]).toEqual([3 * 47 + 2 * 8, 33]);
    expect((await folder.files()).filter((file) => file.startsWith('report/')).sort()).toEqual([
      'report/pictures/01.png',
      'report/pictures/02.png',
      'report/pictures/03.png',
      'report/report.html',
      'report/report.json',
    ]);
  });

  it('refuses a file and a folder as bad usage', async () => {
    const { code, stderr } = await evaluate(FIXTURES, `${FIXTURES}rgb-reference.png`);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain('expected two files or two folders');
  });
});
