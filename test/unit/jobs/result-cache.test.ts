import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Config } from '../../../app/config.ts';
import { loadConfig } from '../../../app/config.ts';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import type { Job, JobInput, JobResult } from '../../../app/jobs/job.ts';
import { ResultCache } from '../../../app/jobs/result-cache.ts';
import { createLogger } from '../../../app/logger.ts';
import { outputOptions } from '../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../app/options/upscale-options.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const logger = createLogger({ logLevel: 'error' });
logger.silent = true;

describe('ResultCache', () => {
  let folder: TemporaryFolder;
  let models: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    models = join(folder.path, 'models');
    await mkdir(models);
    await mkdir(join(folder.path, 'out'));
  });
  afterEach(() => folder.remove());

  const open = (changes: Partial<Config> = {}): ResultCache => {
    const config = { ...loadConfig({}), modelsDir: models, ...changes };
    return new ResultCache({ folder: join(folder.path, 'cache'), config, logger });
  };
  const job = (scale = 2, caller = 'anyone'): Pick<Job, 'caller' | 'work' | 'output'> => ({
    caller,
    work: { kind: 'hires-fix', options: upscaleOptions.parse({ scale }) },
    output: outputOptions.parse({}),
  });
  const input: JobInput = { file: 'x', name: 'photo.png', sha256: 'aa' };
  const keyOf = async (cache: ResultCache, of = job(), image = input): Promise<string> =>
    (await cache.keyOf(of, image)) ?? '';
  const result = async (text: string, fallbacks: readonly object[] = []): Promise<JobResult> => {
    const file = join(folder.path, `made-${text.slice(0, 8)}.png`);
    await writeFile(file, text);
    const info = { upscaler: 'NEAREST', fallbacks, warnings: [], seconds: { total: 9 } };
    return { index: 0, file, bytes: text.length, sha256: await sha256OfFile(file), info } as unknown as JobResult;
  };
  const stem = (name: string): string => join(folder.path, 'out', name);

  it('gives nothing of one caller to another, who would learn from it what was asked for', async () => {
    const cache = open();
    await cache.put(await keyOf(cache, job(2, 'one')), await result('pixels'));
    expect(await cache.take(await keyOf(cache, job(2, 'two')), stem('0'))).toBeUndefined();
    expect(await cache.take(await keyOf(cache, job(2, 'one')), stem('1'))).toBeDefined();
  });

  it('gives back what it was given, and says how long that took', async () => {
    const cache = open();
    const key = await keyOf(cache);
    expect(await cache.take(key, stem('0'))).toBeUndefined();
    const made = await result('pixels');
    await cache.put(key, made);
    const taken = await cache.take(key, stem('1'));
    expect(taken).toMatchObject({ file: stem('1.png'), bytes: 6, sha256: made.sha256, info: { upscaler: 'NEAREST' } });
    expect(Object.keys(taken?.info.seconds ?? {})).toEqual(['cache', 'total']);
    expect(await readFile(stem('1.png'), 'utf8')).toBe('pixels');
  });

  it('drops what a job had as its result, under whatever keys it is kept', async () => {
    const cache = open();
    const [first, second, other] = [await keyOf(cache), await keyOf(cache, job(3)), await keyOf(cache, job(4))];
    const made = await result('pixels');
    await cache.put(first, made);
    await cache.put(second, made);
    await cache.put(other, await result('others'));
    await cache.dropResults({ results: [made] });
    expect(await cache.take(first, stem('0'))).toBeUndefined();
    expect(await open().take(second, stem('0'))).toBeUndefined();
    expect(await cache.take(other, stem('0'))).toBeDefined();
  });

  it('tells requests apart by pixels, options, weights and configuration, and not by names', async () => {
    const cache = open();
    const keys = [
      await keyOf(cache),
      await keyOf(cache, job(3)),
      await keyOf(cache, job(), { ...input, sha256: 'bb' }),
      await keyOf(open({ tile: 64 })),
    ];
    expect(await keyOf(cache, job(), { ...input, name: 'other.png', file: 'y' })).toBe(keys[0]);
    await writeFile(join(models, 'new.pth'), 'weights');
    keys.push(await keyOf(cache));
    await writeFile(join(models, 'new.pth'), 'other weights');
    keys.push(await keyOf(cache));
    await writeFile(join(models, 'new.pth.int8'), 'a calibration'); // which changes what `precision=auto` means
    keys.push(await keyOf(cache), await keyOf(open({ precision: 'fp32' })));
    expect(new Set(keys).size).toBe(8);
  });

  it('outlives its server', async () => {
    const first = open();
    await first.put(await keyOf(first), await result('pixels'));
    const second = open();
    expect(await second.take(await keyOf(second), stem('0'))).toMatchObject({ bytes: 6 });
  });

  it('drops what was asked for the longest time ago when it is full', async () => {
    const cache = open({ resultCacheBytes: 2500 });
    for (const name of ['a', 'b']) await cache.put(name.repeat(64), await result(name.repeat(1000)));
    expect(await cache.take('a'.repeat(64), stem('0'))).toBeDefined();
    await cache.put('c'.repeat(64), await result('c'.repeat(1000)));
    expect(await cache.take('b'.repeat(64), stem('1'))).toBeUndefined();
    await cache.put('d'.repeat(64), await result('d'.repeat(3000)));
    expect(await cache.take('d'.repeat(64), stem('2'))).toBeUndefined();
  });

  it('does not keep what came about by a fallback', async () => {
    const cache = open();
    const key = await keyOf(cache);
    await cache.put(key, await result('pixels', [{ from: 'cuda', to: 'cpu', reason: 'gone' }]));
    expect(await cache.take(key, stem('0'))).toBeUndefined();
  });

  it('does not give back what is damaged, and leaves nothing of it', async () => {
    const cache = open();
    const key = await keyOf(cache);
    await cache.put(key, await result('pixels'));
    await truncate(join(folder.path, 'cache', `${key}.png`), 3);
    expect(await cache.take(key, stem('0'))).toBeUndefined();
    expect((await folder.files()).filter((file) => /^(out|cache)/.test(file))).toEqual([]);
  });

  it('is off at 0', async () => {
    expect(await open({ resultCacheBytes: 0 }).keyOf(job(), input)).toBeUndefined();
  });
});
