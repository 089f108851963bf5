import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DOWNLOAD_LIMITS } from '../../../app/catalog/download/download-limits.ts';
import { InspectionError } from '../../../app/catalog/errors.ts';
import type { ModelCatalogOptions } from '../../../app/catalog/model-catalog.ts';
import { ModelCatalog } from '../../../app/catalog/model-catalog.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import { ProcessLock } from '../../../app/files/process-lock.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';

const NOWHERE = 'http://127.0.0.1:9/x.pth';
const CONTENT = Buffer.from('PK\x03\x04 this stands for a checkpoint', 'latin1');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

const MODEL: RemoteModel = {
  name: 'alpha-x4',
  filename: 'Alpha_x4.pth',
  url: NOWHERE,
  mirrors: [],
  scale: 4,
  size: CONTENT.length,
  sha256: SHA256,
  licence: 'MIT',
  purpose: 'Tests, 4x',
  source: 'tests',
};
const UNPUBLISHED: RemoteModel = { ...MODEL, name: 'beta', filename: 'Beta.pth', scale: 1, size: null, sha256: null };

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hiresfix-catalog-'));
  directory = join(root, 'models');
  await mkdir(directory);
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

function catalog(options: Partial<ModelCatalogOptions> = {}): ModelCatalog {
  const limits = { retry: { attempts: 1, shortestMs: 1, longestMs: 1, longestRetryAfterMs: 1 } };
  const downloader = new ModelDownloader({ directory, limits });
  const bundledDirectory = join(root, 'bundled');
  return new ModelCatalog({
    directory,
    downloader,
    isDownloading: false,
    official: [MODEL, UNPUBLISHED],
    bundledDirectory,
    ...options,
  });
}

/** Puts a file in place as the downloader leaves it. */
async function install(model: RemoteModel, content = CONTENT): Promise<string> {
  const file = join(directory, model.filename);
  await writeFile(file, content);
  const { mtimeMs, size } = await stat(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const entry = {
    name: model.name,
    sha256,
    size,
    mtime_ms: mtimeMs,
    sha256_from: 'published',
    url: model.url,
    downloaded_at: '2024-01-01T00:00:00.000Z',
  };
  await writeFile(
    join(directory, 'models.lock.json'),
    JSON.stringify({ version: 1, models: { [model.filename]: entry } }),
  );
  return file;
}

async function entryOf(name: string, options: Partial<ModelCatalogOptions> = {}) {
  return (await catalog(options).list()).find((entry) => entry.name === name);
}

describe('the list', () => {
  it('shows what is known of a model that is not installed', async () => {
    expect(await entryOf('alpha-x4')).toEqual({
      name: 'alpha-x4',
      kind: 'official',
      filename: 'Alpha_x4.pth',
      file: null,
      isInstalled: false,
      size: CONTENT.length,
      scale: 4,
      architecture: null,
      inputChannels: null,
      outputChannels: null,
      licence: 'MIT',
      isNonCommercial: false,
      isAskedByName: false,
      purpose: 'Tests, 4x',
      url: NOWHERE,
      sha256: SHA256,
      isVerified: null,
      problem: null,
      download: null,
    });
  });

  it.each([
    ['CC-BY-NC-SA-4.0', true],
    ['S-Lab License 1.0 (non-commercial use only)', true],
    ['CC-BY-4.0', false],
    ['ANCIENT', false],
  ])('marks whether the licence %s keeps a model from commercial use', async (licence, isNonCommercial) => {
    const official = [{ ...MODEL, licence, architecture: 'DAT', asked_by_name: true as const }];
    const told = { isNonCommercial, architecture: 'DAT', isAskedByName: true };
    expect(await entryOf('alpha-x4', { official })).toMatchObject(told);
  });

  it('shows how far a download is that some process runs at the moment, and none that was left', async () => {
    const lock = await ProcessLock.acquire(join(directory, 'Beta.pth.lock'), DOWNLOAD_LIMITS.lock);
    await writeFile(join(directory, 'Beta.pth.part'), CONTENT);
    const download = { downloadedBytes: CONTENT.length, totalBytes: null };
    expect(await entryOf('beta')).toMatchObject({ isInstalled: false, download });
    await lock.release();
    expect(await entryOf('beta')).toMatchObject({ isInstalled: false, download: null });
  });

  it('shows one that was downloaded as verified', async () => {
    const file = await install(MODEL);
    expect(await entryOf('alpha-x4')).toMatchObject({ file, isInstalled: true, isVerified: true });
  });

  it("finds the user's and the package's own where models.lock.json was damaged", async () => {
    await writeFile(join(directory, 'models.lock.json'), '{"version": 1, "mod');
    await writeFile(join(directory, 'mine.pth'), CONTENT);
    expect((await catalog().resolve('mine')).file).toBe(join(directory, 'mine.pth'));
    await mkdir(join(root, 'bundled'));
    await writeFile(join(root, 'bundled', 'compact-x2.safetensors'), CONTENT);
    expect((await catalog().resolve('compact-x2')).file).toBe(join(root, 'bundled', 'compact-x2.safetensors'));
    await expect(catalog().resolve(MODEL.name)).rejects.toMatchObject({ code: 'ERR_BAD_MODELS_LOCK' });
  });

  it('shows one that was placed by hand as not verified, also in a subfolder and in another format', async () => {
    for (const path of ['Alpha_x4.pth', 'Alpha_x4.safetensors', 'sub/Alpha_x4.pth']) {
      await mkdir(join(directory, path, '..'), { recursive: true });
      await writeFile(join(directory, path), CONTENT);
      expect(await entryOf('alpha-x4')).toMatchObject({
        file: join(directory, path),
        isInstalled: true,
        isVerified: false,
      });
      await rm(join(directory, path));
    }
  });

  it('does not say whether one that changed since it was written is right', async () => {
    const file = await install(MODEL);
    await utimes(file, new Date(1000), new Date(1000));
    expect(await entryOf('alpha-x4')).toMatchObject({ isInstalled: true, isVerified: null });
  });

  it('shows the pinned hash where none was published', async () => {
    await install(UNPUBLISHED);
    expect(await entryOf('beta')).toMatchObject({ sha256: SHA256, isVerified: true });
  });

  it("shows the user's files with what is in them", async () => {
    await writeFile(join(directory, 'mine.pth'), CONTENT);
    await writeFile(join(directory, 'broken.pth'), 'x');
    let inspections = 0;
    const inspect = (file: string) => {
      inspections += 1;
      if (file.endsWith('broken.pth')) throw new InspectionError('This is not a checkpoint');
      return { architecture: 'ESRGAN', scale: 2, inputChannels: 3, outputChannels: 3 };
    };
    const one = catalog({ inspect });
    const entries = await one.list();
    expect(entries.find(({ name }) => name === 'mine')).toMatchObject({
      kind: 'user',
      filename: 'mine.pth',
      size: CONTENT.length,
      scale: 2,
      architecture: 'ESRGAN',
      inputChannels: 3,
      outputChannels: 3,
      isAskedByName: true,
      isVerified: false,
      problem: null,
    });
    expect(entries.find(({ name }) => name === 'broken')).toMatchObject({
      architecture: null,
      isInstalled: false,
      problem: 'This is not a checkpoint',
    });
    await one.list();
    expect(inspections).toBe(2);
  });

  it('shows the licence of an official model on a file of the same bytes, or of its name in another spelling, and on no other', async () => {
    const official = [{ ...MODEL, licence: 'CC-BY-NC-SA-4.0' }, UNPUBLISHED];
    await writeFile(join(directory, 'renamed.pth'), CONTENT);
    await writeFile(join(directory, 'alpha x4.pth'), 'another release');
    await writeFile(join(directory, 'stranger.pth'), Buffer.from(CONTENT).reverse());
    const entries = await catalog({ official }).list();
    const told = (name: string) => entries.find((entry) => entry.name === name);
    for (const name of ['renamed', 'alpha x4']) {
      expect(told(name)).toMatchObject({
        kind: 'user',
        licence: 'CC-BY-NC-SA-4.0',
        isNonCommercial: true,
        purpose: 'Tests, 4x',
        isVerified: false,
      });
    }
    expect(told('stranger')).toMatchObject({ kind: 'user', licence: null, isNonCommercial: null, purpose: null });
  });

  it('looks again at a file that another has taken the place of, though size and time are the same', async () => {
    const file = join(directory, 'mine.pth');
    const [broken, good] = [join(root, 'broken'), join(root, 'good')];
    for (const path of [broken, good]) {
      await writeFile(path, path === good ? 'good' : 'junk');
      await utimes(path, 1, 1);
    }
    const inspect = async (path: string) => {
      if ((await readFile(path, 'utf8')) === 'junk') throw new InspectionError('This is not a checkpoint');
      return { architecture: 'ESRGAN', scale: 2, inputChannels: 3, outputChannels: 3 };
    };
    const one = catalog({ inspect });
    const told = async () => (await one.list()).find(({ name }) => name === 'mine')?.problem;
    await symlink(broken, file);
    expect(await told()).toBe('This is not a checkpoint');
    await rm(file);
    await symlink(good, file);
    expect(await told()).toBeNull();
    await rename(broken, good); // and where the link stays and what it leads to is replaced
    expect(await told()).toBe('This is not a checkpoint');
  });

  it('goes on verifying after a file that cannot be read', async () => {
    await symlink('/proc/self/mem', join(directory, 'a.pth')); // a file whose first byte is an input/output error
    await writeFile(join(directory, 'b.pth'), CONTENT);
    const states = (await catalog().verify(['a', 'b'])).map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ['a', 'unreadable'],
      ['b', 'unrecorded'],
    ]);
  });

  it("has the package's own model, from the package's own folder", async () => {
    expect(await entryOf('compact-x2')).toMatchObject({ kind: 'bundled', isInstalled: false, scale: 2 });
    await mkdir(join(root, 'bundled'));
    await writeFile(join(root, 'bundled', 'compact-x2.safetensors'), CONTENT);
    const file = join(root, 'bundled', 'compact-x2.safetensors');
    expect(await entryOf('compact-x2')).toMatchObject({ file, isInstalled: true, isVerified: null });
  });

  it('is there without a folder', async () => {
    await rm(directory, { recursive: true });
    expect((await catalog().list()).map(({ name }) => name)).toEqual(['alpha-x4', 'beta', 'compact-x2']);
  });
});

describe('finding a model', () => {
  it('gives the file that serves', async () => {
    const file = await install(MODEL);
    expect(await catalog().ensure('ALPHA_X4')).toMatchObject({
      name: 'alpha-x4',
      file,
      isVerified: true,
      official: MODEL,
    });
    await writeFile(join(directory, 'mine.pth'), CONTENT);
    expect(await catalog().ensure('mine')).toMatchObject({
      kind: 'user',
      file: join(directory, 'mine.pth'),
      isVerified: false,
    });
  });

  it('says what is known when a name is not', async () => {
    await writeFile(join(directory, 'mine.pth'), CONTENT);
    await expect(catalog().ensure('gamma')).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_MODEL',
      known: ['alpha-x4', 'beta', 'compact-x2', 'mine'],
    });
  });

  it('tells of a file of that name which is of another kind, and what may be meant', async () => {
    await mkdir(join(directory, 'sub'));
    for (const name of ['mine.pth', 'sub/4x-foo.param', 'weights.pkl']) await writeFile(join(directory, name), '');
    const saying = (name: string) =>
      catalog()
        .resolve(name)
        .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    expect(await saying('4x-foo.param')).toMatch(
      /There is a file 'sub\/4x-foo\.param', but only \.safetensors, .* are read/,
    );
    expect(await saying('4X-FOO')).toMatch(/There is a file 'sub\/4x-foo\.param'/);
    expect(await saying('weights.pkl')).toMatch(/rename it if it is one/);
    expect(await saying('nime')).not.toMatch(/There is a file|Did you mean/);
    expect(await saying('meni.pth')).not.toMatch(/There is a file/);
    expect(await saying('alpha_x5')).toMatch(/Did you mean 'alpha-x4'\? Known: alpha-x4, beta, compact-x2, mine$/);
  });

  it('says how to install a model by hand when downloads are off', async () => {
    const error: unknown = await catalog()
      .ensure('alpha-x4')
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'ERR_MODEL_UNAVAILABLE', url: NOWHERE, directory });
    expect((error as Error).message).toMatch(
      new RegExp(`MODEL_DOWNLOADS.*Download ${NOWHERE} and put it into ${directory} as Alpha_x4.pth`),
    );
  });

  it('answers the same to somebody who asks for a download', async () => {
    await expect(catalog().download('alpha-x4')).rejects.toMatchObject({ code: 'ERR_MODEL_UNAVAILABLE', url: NOWHERE });
    await expect(catalog().download('gamma')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_MODEL' });
    const file = await install(MODEL);
    expect(await catalog().download('alpha-x4')).toMatchObject({ file, isFetched: false, record: { sha256: SHA256 } });
  });

  it('says the same when there is no network, and why', async () => {
    const error: unknown = await catalog({ isDownloading: true })
      .ensure('alpha-x4')
      .catch((one: unknown) => one);
    expect(error).toMatchObject({
      code: 'ERR_MODEL_UNAVAILABLE',
      cause: { code: 'ERR_DOWNLOAD_FAILED', reason: 'network' },
    });
    expect((error as Error).message).toMatch(/ECONNREFUSED.*put it into/);
    expect(await readdir(directory)).toEqual([]);
  });

  it('sets a downloaded file aside that is no longer right', async () => {
    const file = await install(MODEL);
    await writeFile(file, Buffer.concat([CONTENT.subarray(1), Buffer.from('!')]));
    await utimes(file, new Date(1000), new Date(1000));
    await expect(catalog().ensure('alpha-x4')).rejects.toMatchObject({ code: 'ERR_MODEL_UNAVAILABLE' });
    expect((await readdir(directory)).sort()).toEqual(['Alpha_x4.pth.corrupt', 'models.lock.json']);
  });

  it('uses another file of that model when the downloaded one was set aside', async () => {
    await writeFile(await install(MODEL), 'cut off');
    await writeFile(join(directory, 'Alpha_x4.safetensors'), CONTENT);
    expect((await catalog().ensure('alpha-x4')).file).toBe(join(directory, 'Alpha_x4.safetensors'));
  });

  it('does not read a file again that was only touched', async () => {
    const file = await install(MODEL);
    await utimes(file, new Date(1000), new Date(1000));
    expect((await catalog().ensure('alpha-x4')).isVerified).toBe(true);
    expect(await entryOf('alpha-x4')).toMatchObject({ isVerified: true });
  });

  it('does not take what is next to the models for one', async () => {
    await writeFile(join(directory, 'Alpha_x4.pth.part'), CONTENT);
    await writeFile(join(directory, 'Alpha_x4.pth.corrupt'), CONTENT);
    expect((await catalog().resolve('alpha-x4')).file).toBeNull();
  });
});

describe('verifying', () => {
  it('tells right, wrong, own and missing files apart', async () => {
    const file = await install(MODEL);
    await writeFile(join(directory, 'mine.pth'), 'mine');
    expect(await catalog().verify()).toEqual([
      {
        name: 'alpha-x4',
        kind: 'official',
        file,
        state: 'verified',
        sha256: SHA256,
        matchesPublished: true,
        setAside: null,
      },
      {
        name: 'mine',
        kind: 'user',
        file: join(directory, 'mine.pth'),
        state: 'unrecorded',
        sha256: createHash('sha256').update('mine').digest('hex'),
        matchesPublished: null,
        setAside: null,
      },
    ]);
    expect(await catalog().verify(['beta'])).toMatchObject([{ name: 'beta', state: 'missing', file: null }]);
  });

  it('finds a change that left size and time as they were', async () => {
    const file = await install(MODEL);
    const { atime, mtime } = await stat(file);
    const record = JSON.parse(await readFile(join(directory, 'models.lock.json'), 'utf8')) as {
      models: Record<string, { mtime_ms: number }>;
    };
    await writeFile(
      file,
      CONTENT.map((byte, index) => (index === 20 ? byte ^ 1 : byte)),
    );
    await utimes(file, atime, mtime);
    for (const entry of Object.values(record.models)) entry.mtime_ms = (await stat(file)).mtimeMs;
    await writeFile(join(directory, 'models.lock.json'), JSON.stringify(record));
    expect(await entryOf('alpha-x4')).toMatchObject({ isVerified: true });
    expect(await catalog().verify(['alpha-x4'])).toMatchObject([
      { state: 'corrupt', matchesPublished: false, setAside: `${file}.corrupt` },
    ]);
    expect(await entryOf('alpha-x4')).toMatchObject({ isInstalled: false });
  });

  it("says that a file of the user's is the published one, and leaves it his", async () => {
    await writeFile(join(directory, 'Alpha_x4.pth'), CONTENT);
    expect(await catalog().verify(['alpha-x4'])).toMatchObject([{ state: 'unrecorded', matchesPublished: true }]);
    await writeFile(join(directory, 'Alpha_x4.pth'), 'retrained');
    expect(await catalog().verify(['alpha-x4'])).toMatchObject([
      { state: 'unrecorded', matchesPublished: false, setAside: null },
    ]);
    expect(await readFile(join(directory, 'Alpha_x4.pth'), 'utf8')).toBe('retrained');
  });

  it('does not know a name that nobody knows', async () => {
    await expect(catalog().verify(['gamma'])).rejects.toMatchObject({ code: 'ERR_UNKNOWN_MODEL' });
  });
});

describe('the hash of the weights', () => {
  it('is that of the file, and follows it', async () => {
    const file = join(directory, 'mine.pth');
    const one = catalog();
    await writeFile(file, CONTENT);
    expect(await one.sha256(file)).toBe(SHA256);
    await writeFile(`${file}.new`, 'other');
    await rename(`${file}.new`, file);
    expect(await one.sha256(file)).toBe(createHash('sha256').update('other').digest('hex'));
  });

  it('is not taken again for a file that the downloader wrote', async () => {
    const file = await install({ ...MODEL, filename: 'Alpha_x4.pth' });
    const record = JSON.parse(await readFile(join(directory, 'models.lock.json'), 'utf8')) as {
      models: Record<string, { sha256: string }>;
    };
    for (const entry of Object.values(record.models)) entry.sha256 = 'f'.repeat(64);
    await writeFile(join(directory, 'models.lock.json'), JSON.stringify(record));
    expect(await catalog().sha256(file)).toBe('f'.repeat(64));
  });
});
