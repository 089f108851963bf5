import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { proceduralScene } from '../../../app/processing/int8/scene.ts';
import type { ResultInfo } from '../../../app/processing/result.ts';
import { CommandLine } from '../../support/command-line.ts';
import { writePng } from '../../support/images/png.ts';
import { hasByteProducts } from '../../support/machines/byte-products.ts';
import { describeWithReference } from '../../support/reference.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const WEIGHTS = 'RealESRGAN_x4plus_anime_6B.pth';

/** A device that this machine does not have. */
const ABSENT = process.platform === 'darwin' ? 'cuda' : 'mps';

/** Every start loads the network anew, and other tests share the machine. */
const SLOW = 120_000;

interface Made {
  readonly info: ResultInfo;
  readonly bytes: Buffer;
}

describeWithReference('An official model on a CPU with 8-bit dot products', ['weights', WEIGHTS], (weights) => {
  (hasByteProducts() ? it : it.skip)(
    'runs in int8 with nothing set, with the same bytes on every run and every start; fp32 by name is fp32',
    async () => {
      const folder = await temporaryFolder();
      const at = (name: string): string => join(folder.path, name);
      await mkdir(at('models'));
      await symlink(weights, at(`models/${WEIGHTS}`));
      await writeFile(at('a.png'), writePng(proceduralScene(8, 48)));
      await copyFile(at('a.png'), at('b.png'));
      const commandLine = await CommandLine.build();
      const env: Record<string, string> = {
        ...{ MODELS_DIR: at('models'), HOME: at('home'), XDG_CACHE_HOME: at('cache') },
      };
      const upscale = async (pictures: readonly string[], ...options: readonly string[]): Promise<Made[]> => {
        const args = ['upscale', ...pictures, '-o', 'out', '--upscaler', at(`models/${WEIGHTS}`), '--json'];
        const { stdout } = await commandLine.run([...args, ...options], { cwd: folder.path, env });
        const { results } = JSON.parse(stdout) as { results: { info: ResultInfo; output: string }[] };
        return Promise.all(results.map(async ({ info, output }) => ({ info, bytes: await readFile(output) })));
      };
      const forms = at('cache/hiresfix/int8');

      const [first, second] = await upscale(['a.png', 'b.png']);
      expect(first?.info).toMatchObject({ precision_asked: 'auto', precision: 'int8', warnings: [], fallbacks: [] });
      expect(first?.info.precision_fidelity).toContain('on 20 pictures whose original is known, int8 is');
      expect(second?.bytes).toEqual(first?.bytes);

      const kept = await readdir(forms);
      expect(kept).toEqual([expect.stringMatching(new RegExp(`^${first?.info.weights_sha256}\\.[0-9a-f]{16}\\.127$`))]);
      const { ino } = await stat(join(forms, kept[0] ?? ''));
      const [again] = await upscale(['a.png'], '--overwrite');
      expect(again?.info.precision).toBe('int8');
      expect(again?.bytes).toEqual(first?.bytes);
      expect((await stat(join(forms, kept[0] ?? ''))).ino).toBe(ino);

      expect(existsSync(at('home'))).toBe(false); // all that is kept lies where such things are to lie

      const [exact] = await upscale(['a.png'], '--overwrite', '--precision', 'fp32');
      expect(exact?.info).toMatchObject({ precision_asked: 'fp32', precision: 'fp32', warnings: [] });
      expect(exact?.bytes).not.toEqual(first?.bytes);

      env['FORCE_CPU'] = 'false';
      const elsewhere = ['--overwrite', '--device', ABSENT] as const;
      const [instead] = await upscale(['a.png'], ...elsewhere);
      expect(instead?.info).toMatchObject({
        ...{ device_asked: ABSENT, device: 'cpu', precision_asked: 'auto', precision: 'int8' },
        fallbacks: [{ from: ABSENT, to: 'cpu' }],
      });
      expect(instead?.bytes).toEqual(first?.bytes);
      const [named] = await upscale(['a.png'], ...elsewhere, '--precision', 'fp32');
      expect(named?.info).toMatchObject({ device: 'cpu', precision_asked: 'fp32', precision: 'fp32' });
      expect(named?.bytes).toEqual(exact?.bytes);
      await commandLine.remove();
      await folder.remove();
    },
    SLOW,
  );
});
