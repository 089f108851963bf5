import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../app/config.ts';
import { BRIEFLY, ObjectStore } from '../../../app/jobs/storage/object-store.ts';
import { S3Server } from '../../support/servers/s3-server.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SECRET = 'canary7f3a';

describe('an object store', () => {
  let folder: TemporaryFolder;
  let server: S3Server;
  let store: ObjectStore;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await S3Server.start(folder.path);
    store = storeWith({});
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  const storeWith = (changes: Record<string, string>, page?: number): ObjectStore => {
    const { storage } = loadConfig({ ...server.env, ...changes });
    if (!storage) throw new Error('no storage is configured');
    return new ObjectStore(storage, page);
  };
  const fileWith = async (name: string, text: string): Promise<{ file: string; sha256: string }> => {
    const file = join(folder.path, name);
    await writeFile(file, text);
    return { file, sha256: createHash('sha256').update(text).digest('hex') };
  };

  it('keeps files under keys, lists them and removes them', async () => {
    const one = await fileWith('one', 'first');
    const two = await fileWith('two', 'second');
    await store.put('inputs/a', one, BRIEFLY);
    await store.put('results/a/1/0.png', two, BRIEFLY);
    const copy = { ...two, file: join(folder.path, 'copy') };
    await store.get('results/a/1/0.png', copy, BRIEFLY);
    expect(await readFile(copy.file, 'utf8')).toBe('second');
    expect(await store.list('results/')).toEqual([
      { key: 'results/a/1/0.png', modifiedMs: expect.closeTo(Date.now(), -5) },
    ]);
    await store.remove(['results/a/1/0.png', 'inputs/none']);
    expect(await store.list('results/')).toEqual([]);
    expect((await store.list('')).map(({ key }) => key)).toEqual(['inputs/a']);
  });

  it('lists and removes more than one page', async () => {
    const paged = storeWith({}, 3);
    const one = await fileWith('one', 'first');
    const keys = Array.from({ length: 7 }, (_, index) => `many/${index}`);
    await Promise.all(keys.map((key) => paged.put(key, one, BRIEFLY)));
    expect((await paged.list('many/')).map(({ key }) => key)).toEqual(keys);
    await paged.remove(keys);
    expect(await paged.list('many/')).toEqual([]);
  });

  it('gives out nothing that is not what was stored', async () => {
    const one = await fileWith('one', 'first');
    await store.put('damaged', one, BRIEFLY);
    const copy = { file: join(folder.path, 'damaged'), sha256: 'ab'.repeat(32) };
    await expect(store.get('damaged', copy, [])).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    expect(await folder.files()).not.toContain('damaged');
    await expect(store.get('absent', copy, BRIEFLY)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  it('ends a server that cannot reach it when it starts, in words', async () => {
    const nowhere = { ...server.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    await expect(serveProcess(join(folder.path, 'server'), nowhere)).rejects.toThrow(
      'the storage cannot be used (ECONNREFUSED)',
    );
  });

  it('says no secret when it is refused', async () => {
    const refused = storeWith({ AWS_ACCESS_KEY_ID: `${SECRET}-id`, AWS_SECRET_ACCESS_KEY: SECRET });
    const error: unknown = await refused.list('').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    const { message, cause } = error as Error & { readonly cause: Error };
    expect(JSON.stringify([message, cause.message, error, cause])).not.toContain(SECRET);
  });

  it('is tried again where it was away', async () => {
    const one = await fileWith('one', 'first');
    await server.kill();
    await expect(store.put('late', one, [])).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    const put = store.put('late', one, [200, 500, 1000, 2000, 4000]);
    await server.resume();
    await put;
    expect((await store.list('late')).length).toBe(1);
  });
});
