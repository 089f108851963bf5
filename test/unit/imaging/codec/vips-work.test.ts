import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../../../app/imaging/codec/codec.ts';
import { vipsWork } from '../../../../app/imaging/codec/vips-work.ts';
import { noise } from '../../../support/images/images.ts';

const APP = fileURLToPath(new URL('../../../../app/', import.meta.url));

/** What is said of a file. */
async function saidOf(name: string, file: Uint8Array): Promise<string> {
  const made = await decodeImage(file, { maxPixels: 1e6, name }).catch((error: unknown) => error);
  return made instanceof Error ? made.message : 'nothing';
}

describe('Pictures that are decoded side by side', () => {
  const files = new Map<string, Buffer>();

  beforeAll(async () => {
    const { data, ...raw } = noise({ width: 200, height: 150, channels: 3, depth: 8 });
    const whole = (format: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif') =>
      sharp(data, { raw }).toFormat(format, { effort: 1 }).toBuffer();
    const damaged = (file: Buffer, from: number): Buffer => Buffer.from(file).fill(0x55, from, from + 200);
    for (const format of ['png', 'avif', 'gif'] as const) {
      const file = await whole(format);
      files.set(`${format} damaged in the middle`, damaged(file, file.length >> 1));
    }
    files.set('jpeg without tables', damaged(await whole('jpeg'), 20));
    files.set('webp', damaged(await whole('webp'), 20));
    const tiff = await whole('tiff');
    files.set('tiff', tiff.subarray(0, tiff.length >> 1));
    files.set('jpeg', await whole('jpeg'));
  });

  it('are each told what is wrong with it, as if it were alone', async () => {
    const alone = new Map<string, string>();
    for (const [name, file] of files) alone.set(name, await saidOf(name, file));
    expect([...alone.values()].filter((said) => said !== 'nothing').length).toBeGreaterThan(4);
    for (let round = 0; round < 5; round++) {
      const said = await Promise.all([...files].map(async ([name, file]) => [name, await saidOf(name, file)] as const));
      expect(new Map(said)).toEqual(alone);
    }
  });
});

describe('Work of libvips', () => {
  it('that fails beside other work is done again when that has ended, with nothing beside it', async () => {
    const log: string[] = [];
    const work = (name: string, fails: number) => async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`${name} ends`);
      if (fails-- > 0) throw new Error(name);
      return name;
    };
    const [first, second] = [vipsWork(work('a', 2)), vipsWork(work('b', 1))];
    await new Promise((resolve) => setTimeout(resolve, 6));
    const third = vipsWork(work('c', 0));
    expect(await Promise.allSettled([first, second, third])).toEqual([
      { status: 'rejected', reason: new Error('a') },
      { status: 'fulfilled', value: 'b' },
      { status: 'fulfilled', value: 'c' },
    ]);
    expect(log.slice(4)).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('that fails alone is not done again, nor what may not be', async () => {
    let times = 0;
    const failing = async (): Promise<never> => {
      times++;
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('it fails');
    };
    await expect(vipsWork(failing)).rejects.toThrow('it fails');
    expect(times).toBe(1);
    const tried = await Promise.allSettled([vipsWork(failing, () => false), vipsWork(failing, () => false)]);
    expect([tried.map(({ status }) => status), times]).toEqual([['rejected', 'rejected'], 3]);
  });

  it('all comes by here', () => {
    const sources = readdirSync(APP, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const importing = sources.filter((name) =>
      /^import \{ sharp \} from '.*codec-sharp\.ts';$/m.test(readFileSync(join(APP, name), 'utf8')),
    );
    expect(importing.length).toBeGreaterThan(3);
    for (const name of importing) {
      const source = readFileSync(join(APP, name), 'utf8');
      const done = source.match(/\.(toBuffer|toFile|metadata|stats)\(/g)?.length ?? 0;
      expect([name, done > 0 ? source.includes('vipsWork(') : true]).toEqual([name, true]);
    }
  });
});
