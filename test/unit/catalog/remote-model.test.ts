import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ARCHITECTURES } from '../../../app/architectures/registry.ts';
import { stemOf } from '../../../app/catalog/model-files.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { readRemoteModels, remoteModelSchema } from '../../../app/catalog/remote-model.ts';
import { NETWORK_UPSCALERS } from '../../../app/processing/upscale/upscalers.ts';

/** CONTRACT: "Files in MODELS_DIR". */
const FILES: Readonly<Record<string, string>> = {
  'realesrgan-x2plus': 'RealESRGAN_x2plus.pth',
  'realesrgan-x4plus': 'RealESRGAN_x4plus.pth',
  'realesrnet-x4plus': 'RealESRNet_x4plus.pth',
  'realesrgan-x4plus-anime': 'RealESRGAN_x4plus_anime_6B.pth',
  'realesr-animevideov3': 'realesr-animevideov3.pth',
  'realesr-general-x4v3': 'realesr-general-x4v3.pth',
  'realesr-general-wdn-x4v3': 'realesr-general-wdn-x4v3.pth',
  'gfpgan-1.3': 'GFPGANv1.3.pth',
  'gfpgan-1.4': 'GFPGANv1.4.pth',
  restoreformer: 'RestoreFormer.pth',
  codeformer: 'codeformer.pth',
  'retinaface-resnet50': 'detection_Resnet50_Final.pth',
  parsenet: 'parsing_parsenet.pth',
  'ddcolor-modelscope': 'ddcolor_modelscope.pth',
  'ddcolor-paper-tiny': 'ddcolor_paper_tiny.pth',
  'ddcolor-artistic': 'ddcolor_artistic.pth',
  'nafnet-gopro-width64': 'NAFNet-GoPro-width64.pth',
  'nafnet-sidd-width64': 'NAFNet-SIDD-width64.pth',
  'deoldify-artistic': 'ColorizeArtistic_gen.pth',
  'deoldify-stable': 'ColorizeStable_gen.pth',
};
/** What others' programs come with, by their names and, but for the endings, their files. */
const UPSCALERS: readonly string[] = [
  '4x-UltraSharp.pth',
  '4x-UltraSharpV2.safetensors',
  '4x_foolhardy_Remacri.pth',
  '4x_NMKD-Superscale-SP_178000_G.pth',
  '003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L_x4_GAN.pth',
  '003_realSR_BSRGAN_DFO_s64w8_SwinIR-M_x4_GAN.pth',
  '4xNomos2_hq_dat2.pth',
  '4xPurePhoto-span.pth',
  'OmniSR_X2_DIV2K.safetensors',
  'OmniSR_X3_DIV2K.safetensors',
  'OmniSR_X4_DIV2K.safetensors',
];
const models = readRemoteModels();
const byName = new Map(models.map((model) => [model.name, model]));

describe('config/models.json', () => {
  it('has every model of the contract under its name', () => {
    const found = Object.fromEntries(models.map(({ name, filename }) => [name, filename]));
    expect(found).toEqual({ ...FILES, ...Object.fromEntries(UPSCALERS.map((file) => [stemOf(file), file])) });
  });

  it('knows upscalers that are asked for by their names, with all that a download is held to', () => {
    const byNames = models.filter((model) => model.asked_by_name);
    expect(byNames.map(({ filename }) => filename)).toEqual(UPSCALERS);
    const known = byNames.filter(({ size, sha256, architecture }) => size !== null && sha256 !== null && architecture);
    expect(known).toEqual(byNames);
  });

  it('names families as the registry does, and those of the files that the tests have as these are recognised', () => {
    const families = ARCHITECTURES.map(({ name }) => name);
    expect(models.filter(({ architecture = '' }) => !families.includes(architecture))).toEqual([]);
    for (const { filename, architecture } of models) {
      const manifest = new URL(`../../fixtures/manifests/${filename.replace(/\.\w+$/, '')}.json`, import.meta.url);
      if (!existsSync(manifest)) continue;
      const { expected } = JSON.parse(readFileSync(manifest, 'utf8')) as { expected: { architecture: string } };
      expect(`${filename} ${architecture}`).toBe(`${filename} ${expected.architecture}`);
    }
  });

  it('agrees with the contract about RealESRGAN_x4plus.pth', () => {
    expect(byName.get('realesrgan-x4plus')).toMatchObject({
      size: 67_040_989,
      sha256: '4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1',
    });
    expect(byName.get('realesrgan-x4plus')?.url).toContain('/v0.1.0/');
  });

  it('agrees with the upscalers about names and scales', () => {
    const remote = [...NETWORK_UPSCALERS].filter(([name]) => name !== 'COMPACT_X2'); // our own comes with the service
    expect(remote.map(([name, { model }]) => `${name} ${byName.get(model)?.scale}`)).toEqual([
      'REALESRGAN_X2PLUS 2',
      'REALESRGAN_X4PLUS 4',
      'REALESRNET_X4PLUS 4',
      'REALESRGAN_X4PLUS_ANIME 4',
      'REALESR_ANIMEVIDEO_V3 4',
      'REALESR_GENERAL_X4_V3 4',
    ]);
    for (const [, { denoiseModel }] of remote) {
      if (denoiseModel !== undefined) expect(byName.has(denoiseModel)).toBe(true);
    }
  });

  it('has no hash, no file and no address twice', () => {
    const all = (read: (model: RemoteModel) => readonly (string | null)[]) =>
      models.flatMap(read).filter((value) => value !== null);
    for (const values of [
      all((model) => [model.sha256]),
      all((model) => [model.filename]),
      all((model) => [model.url, ...model.mirrors]),
    ]) {
      expect(values).toEqual([...new Set(values)]);
    }
  });

  it('is fetched over https only', () => {
    const urls = models.flatMap(({ url, mirrors }) => [url, ...mirrors]);
    expect(urls.filter((url) => !url.startsWith('https://'))).toEqual([]);
  });

  it('says where it was read, and what is not known yet', () => {
    expect(models.filter(({ source }) => !/[\w-]+\/[\w.-]+/.test(source))).toEqual([]);
    expect(models.filter(({ sha256, size }) => sha256 === null || size === null).map(({ name }) => name)).toEqual([
      'ddcolor-paper-tiny',
    ]);
  });

  it('says that CodeFormer is not for commercial use', () => {
    expect(byName.get('codeformer')?.licence).toMatch(/non-commercial/);
  });
});

describe('remoteModelSchema', () => {
  const good = models[0];
  it.each([
    ['a file name that leads out of the folder', { filename: '../x.pth' }],
    ['a file that is no checkpoint', { filename: 'x.zip' }],
    ['an address that is not of the web', { url: 'file:///etc/passwd' }],
    ['half a hash', { sha256: 'abc' }],
    ['a size of nothing', { size: 0 }],
    ['a field that nobody knows', { color: 'red' }],
  ])('refuses %s', (_name, wrong) => {
    expect(remoteModelSchema.safeParse(good).success).toBe(true);
    expect(remoteModelSchema.safeParse({ ...good, ...wrong }).success).toBe(false);
  });

  it('does not take two models of one name', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hiresfix-models-')), 'models.json');
    writeFileSync(file, JSON.stringify([good, good]));
    expect(() => readRemoteModels(file)).toThrow(/listed twice/);
  });
});
