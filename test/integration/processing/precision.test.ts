import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ResultInfo } from '../../../app/processing/result.ts';
import type { CalibrationRecord } from '../../../app/processing/networks/int8-calibration.ts';
import type { CommandEnd } from '../../support/command-line.ts';
import { CommandLine } from '../../support/command-line.ts';
import { writePng } from '../../support/images/png.ts';
import { proceduralScene } from '../../../app/processing/int8/scene.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readVariant } from '../../support/checkpoints/hashed-weights.ts';
import { smallNetwork, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import { GOOD_FIGURES } from '../../support/forms/fidelity-figures.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Starting a process takes half a second, and other tests share the machine. */
const SLOW = 180_000;

let commandLine: CommandLine;
let folder: TemporaryFolder;

/** The calibration of `new-x2`, which takes seconds to make. */
let calibration: Buffer;

beforeAll(async () => {
  commandLine = await CommandLine.build();
});

afterAll(() => commandLine.remove());

beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(at('photo.png'), writePng(proceduralScene(8, 40)));
});

afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);
const run = (...args: readonly string[]): Promise<CommandEnd> =>
  commandLine.run(args, { cwd: folder.path, env: { MODELS_DIR: folder.path } });

function writeNetwork(name: string, file: string): void {
  const network = smallNetwork(name);
  writeSmallNetwork(at(file), network, 'pth-zip');
}

/** The network of the first test, and the calibration that it made. */
async function placeCalibrated(): Promise<void> {
  writeNetwork('new-x2', 'net.pth');
  await writeFile(at('net.pth.int8'), calibration);
}

async function upscale(
  precision: string,
  { file = 'net.pth', tta = '1' } = {},
): Promise<{ info: ResultInfo; pixels: string; out: string }> {
  const out = `${precision}-${tta}.png`;
  const args = ['upscale', 'photo.png', '-o', out, '--upscaler', at(file), '--tta', tta, '--overwrite', '--json'];
  const { stdout, stderr } = await run(...args, '--precision', precision);
  const { results } = JSON.parse(stdout) as { results: readonly { readonly info: ResultInfo }[] };
  const [result] = results;
  if (!result) throw new Error(stderr);
  return { info: result.info, pixels: (await readFile(at(out))).toString('base64'), out };
}

/** Changes what a calibration says of itself, in the header of its file; the tensors behind it stay. */
async function rewrite(file: string, change: (record: CalibrationRecord) => object): Promise<void> {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as { __metadata__: { hiresfix: string } };
  header.__metadata__.hiresfix = JSON.stringify(change(JSON.parse(header.__metadata__.hiresfix) as CalibrationRecord));
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  await writeFile(file, Buffer.concat([prefix, text, bytes.subarray(8 + length)]));
}

describe('The int8 form of a model', () => {
  it(
    'is made by `models optimize`, and used by auto where it passed its gate, with the same bytes every time',
    async () => {
      writeNetwork('new-x2', 'net.pth');
      const before = await upscale('auto');
      expect(before.info).toMatchObject({ precision_asked: 'auto', precision: 'fp32', warnings: [] });
      expect(before.info.precision_reason).toContain('there is no int8 calibration of these weights');
      const { stdout, stderr } = await run('models', 'optimize', 'net', '--json');
      const report = JSON.parse(stdout) as CalibrationRecord & { file: string; passed: boolean };
      expect(report).toMatchObject({
        file: at('net.pth.int8'),
        weights_sha256: before.info.weights_sha256,
        calibrated_on: { source: 'scenes', crops: 8 },
        measured: { pairs: 12 },
        gate: { psnr_change_mean: -0.05, ssim_change_mean: -0.003, ssim_to_fp32_mean: 0.95 },
        fidelity: expect.stringContaining('on 12 pictures whose original is known, int8 is') as unknown,
      });
      expect(stderr === '').toBe(report.passed);
      expect((await readdir(folder.path)).filter((name) => name.includes('.tmp'))).toEqual([]);

      calibration = await readFile(report.file);
      await rewrite(report.file, (record) => ({ ...record, measured: GOOD_FIGURES }));
      const first = await upscale('auto');
      expect(first.info).toMatchObject({ precision_asked: 'auto', precision: 'int8', warnings: [], fallbacks: [] });
      expect(first.info.precision_reason).toBeUndefined();
      expect(first.info.precision_fidelity).toContain('int8 is 0.01 dB further from it than fp32');
      expect(before.info.precision_fidelity).toBeUndefined();
      expect(first.pixels).not.toBe(before.pixels);
      expect((await upscale('int8')).pixels).toBe(first.pixels);
      const told = await run('upscale', 'photo.png', '-o', 'told.png', '--upscaler', at('net.pth'));
      expect(told.stdout).toContain(' on cpu in int8, ');
      const fp16 = await upscale('fp16');
      expect(fp16.pixels).toBe(before.pixels);
      expect(fp16.info).toMatchObject({
        precision_asked: 'fp16',
        precision: 'fp32',
        warnings: ['fp32 was used instead of fp16: fp16 is for GPUs'],
      });
    },
    SLOW,
  );

  it(
    'sees mirrored views as the network in fp32 does',
    async () => {
      await placeCalibrated();
      const [one, four] = [await upscale('int8'), await upscale('int8', { tta: '4' })];
      expect(four.info).toMatchObject({ precision: 'int8', tta: 4 });
      expect(four.pixels).not.toBe(one.pixels);
      const distance = async (tta: string, { out }: { readonly out: string }): Promise<number> => {
        const exact = await upscale('fp32', { tta });
        const { stdout } = await run('evaluate', exact.out, out, '--json');
        return (JSON.parse(stdout) as { mean: { psnr: number } }).mean.psnr;
      };
      const [ofFour, ofOne] = [await distance('4', four), await distance('1', one)];
      expect(ofFour).toBeGreaterThan(ofOne); // the mean of four answers has less noise than one
      expect(ofFour).toBeGreaterThan(45);
    },
    SLOW,
  );

  it(
    'that is below its gate is used only where int8 is asked for by name, which is told',
    async () => {
      await placeCalibrated();
      await rewrite(at('net.pth.int8'), (record) => ({
        ...record,
        measured: { ...GOOD_FIGURES, psnr_change_worst: -0.9 },
      }));
      const auto = await upscale('auto');
      expect(auto.info).toMatchObject({ precision: 'fp32', warnings: [] });
      expect(auto.info.precision_reason).toContain(
        'below the gate: its worst change of PSNR is -0.9, where at least -0.4 is asked',
      );
      const named = await upscale('int8');
      expect(named.info).toMatchObject({ precision_asked: 'int8', precision: 'int8' });
      expect(named.info.warnings.join()).toContain(
        'int8 was used: its int8 form is below the gate: its worst change of PSNR',
      );
      expect(named.pixels).not.toBe(auto.pixels);
    },
    SLOW,
  );

  it(
    'is not used for other weights, nor where it cannot be read',
    async () => {
      await placeCalibrated();
      await rewrite(at('net.pth.int8'), (record) => ({
        ...record,
        measured: GOOD_FIGURES,
        weights_sha256: 'a'.repeat(64),
      }));
      expect((await upscale('auto')).info.precision_reason).toContain('was made for other weights');
      await rewrite(at('net.pth.int8'), (record) => ({ ...record, version: 1 }));
      expect((await upscale('auto')).info.precision_reason).toContain('cannot be read');
      await writeFile(at('net.pth.int8'), 'no tensors');
      const { info } = await upscale('int8');
      expect(info).toMatchObject({ precision: 'fp32' });
      expect(info.warnings.join()).toContain('fp32 was used instead of int8: the int8 calibration');
    },
    SLOW,
  );

  it(
    'is calibrated on images where they are given, and held against others',
    async () => {
      writeNetwork('new-x1', 'net.pth');
      await mkdir(at('photos'));
      for (const number of [0, 1, 2]) {
        await writeFile(at(`photos/${number}.png`), writePng(proceduralScene(number, 230)));
      }
      const { stdout } = await run('models', 'optimize', 'net.pth', '--images', 'photos', '--json');
      expect(JSON.parse(stdout)).toMatchObject({
        calibrated_on: { source: 'images', crops: 8 },
        measured: { pairs: 9 },
      });
      const small = await run('models', 'optimize', 'net.pth', '--images', 'photo.png');
      expect(small.code).toBe(2);
      expect(small.stderr).toContain('--images: expected images with room for 4 crops of 96 x 96 pixels');
    },
    SLOW,
  );

  it(
    'is not looked for in a network that must know the sides of its picture, which runs in fp32',
    async () => {
      writeCheckpoint(at('net.pth'), buildManifestTensors(readVariant('realcugan-x3')), { format: 'pth-zip' });
      expect((await upscale('auto')).info).toMatchObject({ architecture: 'RealCUGAN', precision: 'fp32' });
      const { info } = await upscale('int8');
      expect(info.precision).toBe('fp32');
      expect(JSON.stringify(info)).toContain('it has no dense blocks');
      const { code, stderr } = await run('models', 'optimize', 'net.pth');
      expect([code, stderr]).toEqual([1, expect.stringContaining('RealCUGAN is not made to run in int8: it has no')]);
    },
    SLOW,
  );

  it.each([
    ['compact-x4', 'Compact is not made to run in int8: compact networks keep 25 to 40 dB only'],
    ['plus-x2', 'ESRGAN is not made to run in int8: ESRGAN+ adds values of different steps'],
  ])(
    'is refused at once for %s',
    async (name, message) => {
      writeNetwork(name, 'net.pth');
      const { code, stdout, stderr } = await run('models', 'optimize', 'net.pth');
      expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(message)]);
      expect(await readdir(folder.path)).toEqual(['net.pth', 'photo.png']);
    },
    SLOW,
  );
});
