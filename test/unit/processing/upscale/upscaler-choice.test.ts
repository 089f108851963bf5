import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCatalog } from '../../../../app/catalog/create-catalog.ts';
import { UnknownNetworkError } from '../../../../app/architectures/errors.ts';
import { loadConfig } from '../../../../app/config.ts';
import type { Fallback } from '../../../../app/processing/result.ts';
import type { UpscalerChoice, UpscalerQuery } from '../../../../app/processing/upscale/upscaler-choice.ts';
import { OutputTooLargeError } from '../../../../app/processing/errors.ts';
import { defaultUpscalerProblem } from '../../../../app/processing/upscale/default-upscaler.ts';
import { UpscalerChooser } from '../../../../app/processing/upscale/upscaler-choice.ts';
import {
  NETWORK_UPSCALERS,
  PIL_UPSCALERS,
  REALESRGAN_UPSCALERS,
} from '../../../../app/processing/upscale/upscalers.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const BUNDLED = fileURLToPath(new URL('../../../../models/compact-x2.safetensors', import.meta.url));

describe('the choice of an upscaler', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  const install = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(join(folder.path, name, '..'), { recursive: true });
      await writeFile(join(folder.path, name), `${name} is not read before it is run`);
    }
  };
  const chooser = (env: Readonly<Record<string, string>> = {}): UpscalerChooser => {
    const config = loadConfig({ MODELS_DIR: folder.path, MODEL_DOWNLOADS: 'false', ...env });
    return new UpscalerChooser(config, createCatalog(config));
  };
  const choose = async (
    query: Partial<UpscalerQuery>,
    env?: Readonly<Record<string, string>>,
  ): Promise<UpscalerChoice & { readonly fallbacks: readonly Fallback[] }> => {
    const fallbacks: Fallback[] = [];
    const onFallback = (fallback: Fallback) => fallbacks.push(fallback);
    return { ...(await chooser(env).choose({ asked: 'AUTO', growth: 2, ...query }, { onFallback })), fallbacks };
  };
  const inFolder = (name: string) => ({ file: join(folder.path, name) });

  describe('by AUTO', () => {
    it('takes the 2x network up to 2, and above what MODEL_UPSCALE names', async () => {
      await install('RealESRGAN_x2plus.pth', 'RealESRGAN_x4plus.pth', 'mine.pth');
      const chosen = async (growth: number, env?: Readonly<Record<string, string>>) =>
        (await choose({ growth }, env)).name;
      expect(await chosen(0.5)).toBe('REALESRGAN_X2PLUS');
      expect(await chosen(2)).toBe('REALESRGAN_X2PLUS');
      expect(await chosen(2.01)).toBe('REALESRGAN_X4PLUS');
      expect(await chosen(4, { MODEL_UPSCALE: 'x2plus' })).toBe('REALESRGAN_X2PLUS');
      expect(await chosen(4, { MODEL_UPSCALE: 'mine.pth' })).toBe('mine');
      expect(await chosen(4, { MODEL_UPSCALE: 'BICUBIC' })).toBe('BICUBIC');
    });

    it("falls back to the package's own network where the weights cannot be had, and says why", async () => {
      const { name, files, fallbacks } = await choose({ asked: 'auto', growth: 2 });
      expect([name, files]).toEqual(['COMPACT_X2', { file: BUNDLED }]);
      expect(fallbacks).toEqual([
        {
          from: 'REALESRGAN_X2PLUS',
          to: 'COMPACT_X2',
          reason: expect.stringMatching(/realesrgan-x2plus is not installed.*MODEL_DOWNLOADS.*RealESRGAN_x2plus\.pth/),
        },
      ]);
    });

    it('is told to whoever starts the service where MODEL_UPSCALE names nothing that is known', async () => {
      await install('mine.pth');
      const problemOf = (name: string) => {
        const config = loadConfig({ MODELS_DIR: folder.path, MODEL_DOWNLOADS: 'false', MODEL_UPSCALE: name });
        return defaultUpscalerProblem(config, createCatalog(config));
      };
      for (const name of ['x4plus', 'REALESRGAN_X2PLUS', 'R-ESRGAN 4x+', 'lanczos', 'mine', 'mine.pth'])
        expect(await problemOf(name)).toBeUndefined();
      expect(await problemOf('lost.pth')).toMatch(/^MODEL_UPSCALE: there is no 'lost.pth'/);
    });

    it('falls back too where MODEL_UPSCALE names a file that is not there', async () => {
      const { name, fallbacks } = await choose({ growth: 4 }, { MODEL_UPSCALE: 'lost.pth' });
      expect([name, fallbacks.length]).toEqual(['COMPACT_X2', 1]);
      expect(fallbacks[0]?.reason).toContain("'lost.pth'");
    });

    it('falls back from what was given up because it is broken, and says why', async () => {
      await install('RealESRGAN_x2plus.pth');
      const auto = chooser();
      const fallbacks: Fallback[] = [];
      const hooks = { onFallback: (fallback: Fallback) => fallbacks.push(fallback) };
      const first = await auto.choose({ asked: 'AUTO', growth: 2 }, hooks);
      auto.giveUp(first, new UnknownNetworkError('no network'));
      const second = await auto.choose({ asked: 'AUTO', growth: 2 }, hooks);
      auto.giveUp(second, new UnknownNetworkError('nor here'));
      expect([first.name, second.name]).toEqual(['REALESRGAN_X2PLUS', 'COMPACT_X2']);
      expect((await auto.choose({ asked: 'AUTO', growth: 2 }, hooks)).name).toBe('LANCZOS');
      expect(fallbacks.map(({ from, reason }) => [from, reason])).toEqual([
        ['REALESRGAN_X2PLUS', 'no network'],
        ['REALESRGAN_X2PLUS', 'no network'],
        ['COMPACT_X2', 'nor here'],
      ]);
    });

    it('keeps what failed for another reason, and what a caller named', async () => {
      await install('RealESRGAN_x2plus.pth');
      const auto = chooser();
      const onFallback = () => undefined;
      const full = new OutputTooLargeError('too large');
      const chosen = await auto.choose({ asked: 'AUTO', growth: 2 }, { onFallback });
      expect(() => auto.giveUp(chosen, full)).toThrow(full);
      const named = await auto.choose({ asked: 'REALESRGAN_X2PLUS', growth: 2 }, { onFallback });
      const broken = new UnknownNetworkError('no network');
      expect(() => auto.giveUp(named, broken)).toThrow(broken);
    });

    it('says so for every image, but looks only once for what is missing', async () => {
      const auto = chooser();
      const reasons: string[] = [];
      const hooks = { onFallback: ({ reason }: Fallback) => reasons.push(reason) };
      await auto.choose({ asked: 'AUTO', growth: 2 }, hooks);
      await install('RealESRGAN_x2plus.pth');
      expect((await auto.choose({ asked: 'AUTO', growth: 2 }, hooks)).name).toBe('COMPACT_X2');
      expect(reasons).toHaveLength(2);
      expect(new Set(reasons).size).toBe(1);
    });

    it('says that it ignored a denoise strength that came to nothing', async () => {
      await install('realesr-general-x4v3.pth', 'realesr-general-wdn-x4v3.pth');
      expect((await choose({ denoiseStrength: 0.5 })).warnings).toEqual([
        'denoise_strength was ignored: COMPACT_X2 does not take it',
      ]);
      const general = await choose({ growth: 4, denoiseStrength: 0.5 }, { MODEL_UPSCALE: 'general-x4v3' });
      expect([general.warnings, general.files?.blend?.strength]).toEqual([[], 0.5]);
    });
  });

  describe('by name', () => {
    it.each([...PIL_UPSCALERS])('knows %s in any case, which needs no weights', async (name) => {
      expect(await choose({ asked: name })).toEqual({ name, warnings: [], fallbacks: [] });
      expect((await choose({ asked: name.toLowerCase() })).name).toBe(name);
    });

    it.each([
      ['REALESRGAN_X2PLUS', 'R-ESRGAN 2x+', 'x2plus', 'RealESRGAN_x2plus.pth'],
      ['REALESRGAN_X4PLUS', 'R-ESRGAN 4x+', 'x4plus', 'RealESRGAN_x4plus.pth'],
      ['REALESRNET_X4PLUS', 'R-ESRNet 4x+', 'x4net', 'RealESRNet_x4plus.pth'],
      ['REALESRGAN_X4PLUS_ANIME', 'R-ESRGAN 4x+ Anime6B', 'x4anime', 'RealESRGAN_x4plus_anime_6B.pth'],
      ['REALESR_ANIMEVIDEO_V3', 'R-ESRGAN AnimeVideo', 'animevideov3', 'realesr-animevideov3.pth'],
      ['REALESR_GENERAL_X4_V3', 'R-ESRGAN General 4xV3', 'general-x4v3', 'realesr-general-x4v3.pth'],
    ])('knows %s by its type, its A1111 name and its short name', async (type, displayName, short, filename) => {
      await install(`sub/folder/${filename}`);
      for (const asked of [type, type.toLowerCase(), displayName, displayName.toUpperCase(), short]) {
        const { name, files } = await choose({ asked });
        expect([asked, name, files]).toEqual([asked, type, inFolder(`sub/folder/${filename}`)]);
      }
    });

    it("reads COMPACT_X2 from the package's own models, whatever MODELS_DIR is", async () => {
      for (const asked of ['COMPACT_X2', 'Compact 2x', 'compact-x2']) {
        expect(await choose({ asked })).toMatchObject({ name: 'COMPACT_X2', files: { file: BUNDLED } });
      }
    });

    it('knows files by name, stem and path below MODELS_DIR, and calls them by their stem', async () => {
      await install('4x-Mine_v1.5.pth', 'anime/4x_Other.safetensors');
      for (const asked of ['4x-Mine_v1.5.pth', '4x-Mine_v1.5', '4x-mine_v1.5']) {
        expect(await choose({ asked })).toMatchObject({ name: '4x-Mine_v1.5', files: inFolder('4x-Mine_v1.5.pth') });
      }
      for (const asked of ['4x_Other', '4x_Other.safetensors', 'anime/4x_Other.safetensors']) {
        expect(await choose({ asked })).toMatchObject({
          name: '4x_Other',
          files: inFolder('anime/4x_Other.safetensors'),
        });
      }
    });

    it('takes a safetensors file of the same stem for an official one', async () => {
      await copyFile(BUNDLED, join(folder.path, 'RealESRGAN_x4plus.safetensors'));
      expect((await choose({ asked: 'x4plus' })).files).toEqual(inFolder('RealESRGAN_x4plus.safetensors'));
    });

    it('refuses what is none, and lists what there is', async () => {
      await install('mine.pth');
      const known = [...PIL_UPSCALERS, ...REALESRGAN_UPSCALERS, 'mine'];
      await expect(choose({ asked: 'FANCY' })).rejects.toMatchObject({ code: 'ERR_UNKNOWN_UPSCALER' });
      await expect(choose({ asked: 'FANCY' })).rejects.toThrow(
        new RegExp(known.map((name) => `(?=.*\\b${name}\\b)`).join('')),
      );
    });

    it('has an error for a named one whose weights cannot be had: nobody asked for another', async () => {
      await expect(choose({ asked: 'REALESRGAN_X4PLUS' })).rejects.toMatchObject({ code: 'ERR_MODEL_UNAVAILABLE' });
    });

    it.each(['../secret.pth', '..', 'sub/../../secret.pth', '..\\secret.pth', '../RealESRGAN_x4plus.pth'])(
      'does not leave MODELS_DIR for %s',
      async (asked) => {
        await install('models/RealESRGAN_x4plus.pth', 'secret.pth');
        const env = { MODELS_DIR: join(folder.path, 'models') };
        await expect(choose({ asked }, env)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_UPSCALER' });
        await expect(choose({ asked: join(folder.path, 'secret.pth') }, env)).rejects.toMatchObject({
          code: 'ERR_UNKNOWN_UPSCALER',
        });
      },
    );

    it('takes a checkpoint by its path where the command line names one', async () => {
      const modelFile = join(folder.path, 'x.y.pth');
      expect(await choose({ asked: 'AUTO', modelFile })).toEqual({
        name: 'x.y',
        files: { file: modelFile },
        warnings: [],
        fallbacks: [],
      });
    });
  });

  describe('with a denoise strength', () => {
    const general = { asked: 'REALESR_GENERAL_X4_V3' };

    it('blends with the weights that keep the grain', async () => {
      await install('realesr-general-x4v3.pth', 'realesr-general-wdn-x4v3.pth');
      expect((await choose({ ...general, denoiseStrength: 0.25 })).files).toEqual({
        ...inFolder('realesr-general-x4v3.pth'),
        blend: { ...inFolder('realesr-general-wdn-x4v3.pth'), strength: 0.25 },
      });
      expect((await choose({ ...general, denoiseStrength: 0 })).files?.blend?.strength).toBe(0);
    });

    it('needs one file where nothing is blended', async () => {
      await install('realesr-general-x4v3.pth');
      for (const denoiseStrength of [1, undefined]) {
        expect((await choose({ ...general, denoiseStrength })).files).toEqual(inFolder('realesr-general-x4v3.pth'));
      }
      await expect(choose({ ...general, denoiseStrength: 0.5 })).rejects.toThrow(/realesr-general-wdn-x4v3/);
    });

    it.each(['LANCZOS', 'COMPACT_X2', 'REALESRGAN_X4PLUS', 'mine.pth', 'nobody'])(
      'is refused for %s',
      async (asked) => {
        await install('mine.pth', 'RealESRGAN_x4plus.pth');
        await expect(choose({ asked, denoiseStrength: 1 })).rejects.toThrow(
          `denoise_strength: only REALESR_GENERAL_X4_V3 takes it, not ${asked}`,
        );
      },
    );

    it('is refused for a checkpoint by its path', async () => {
      await expect(choose({ modelFile: '/x.pth', denoiseStrength: 0.5 })).rejects.toMatchObject({
        code: 'ERR_BAD_PARAMETER',
      });
    });
  });
});

describe('the upscalers', () => {
  it('are those of Pillow and those of networks, and none is both', () => {
    expect([...PIL_UPSCALERS]).toEqual(['NEAREST', 'BILINEAR', 'BICUBIC', 'LANCZOS']);
    expect([...REALESRGAN_UPSCALERS]).toEqual([...NETWORK_UPSCALERS.keys()]);
    expect([...PIL_UPSCALERS].filter((name) => REALESRGAN_UPSCALERS.has(name))).toEqual([]);
    expect([...NETWORK_UPSCALERS.keys()]).toEqual([
      'REALESRGAN_X2PLUS',
      'REALESRGAN_X4PLUS',
      'REALESRNET_X4PLUS',
      'REALESRGAN_X4PLUS_ANIME',
      'REALESR_ANIMEVIDEO_V3',
      'REALESR_GENERAL_X4_V3',
      'COMPACT_X2',
    ]);
  });
});
