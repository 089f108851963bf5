import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { BuiltProgram } from '../support/built-program.ts';
import { buildProgram } from '../support/built-program.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'config', 'models', 'scripts'];

/** What is installed by those who want it. */
const OPTIONAL = new Set(['@aws-sdk', 'libheif-js']);

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly private?: boolean;
  readonly scripts: Record<string, string>;
}

describe('the package', () => {
  let folder: TemporaryFolder;
  let program: BuiltProgram;
  let installed: string;

  /** Packs what a clone has, built, and unpacks it where an installation would lie: beside what it depends on, but for what is optional. */
  beforeAll(async () => {
    folder = await temporaryFolder();
    program = await buildProgram();
    const clone = join(folder.path, 'clone');
    for (const name of PACKED) await cp(join(ROOT, name), join(clone, name), { recursive: true });
    await cp(join(dirname(program.main), '..'), join(clone, 'dist'), { recursive: true });
    await writeFile(join(clone, 'models', 'somebody-elses.pth'), 'weights of the user');
    const manifest = await manifestOf(clone);
    delete manifest.scripts['prepare']; // it is built already
    await writeFile(join(clone, 'package.json'), JSON.stringify(manifest));
    await run('npm', ['pack', '--silent'], { cwd: clone });

    installed = join(folder.path, 'lib', 'node_modules', 'hiresfix');
    await mkdir(installed, { recursive: true });
    const [archive = ''] = (await readdir(clone)).filter((name) => name.endsWith('.tgz'));
    await run('tar', ['-xzf', join(clone, archive), '--strip-components=1', '-C', installed]);
    for (const name of await readdir(join(ROOT, 'node_modules'))) {
      if (OPTIONAL.has(name) || name.startsWith('.')) continue;
      await symlink(join(ROOT, 'node_modules', name), join(dirname(installed), name));
    }
  });
  afterAll(async () => {
    await program.remove();
    await folder.remove();
  });

  const hiresfix = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { bin = {} } = await manifestOf(installed);
    const command = join(installed, bin['hiresfix'] ?? 'no command');
    const cwd = await mkdir(join(folder.path, 'elsewhere'), { recursive: true }).then(() =>
      join(folder.path, 'elsewhere'),
    );
    const data = { XDG_DATA_HOME: join(folder.path, 'data'), MODEL_DOWNLOADS: 'false', PORT: '0' };
    const { stdout } = await run(process.execPath, [command, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...data, ...env },
    });
    return stdout;
  };

  it('has the command and may be published, where the clone it is made of has none and may not', async () => {
    expect(await manifestOf(installed)).toMatchObject({ bin: { hiresfix: 'dist/cli/main.js' } });
    expect(await manifestOf(installed)).not.toHaveProperty('private');
    const clone = await manifestOf(join(folder.path, 'clone'));
    expect(clone).toMatchObject({ private: true });
    expect(clone).not.toHaveProperty('bin');
  });

  it('has what runs, and nothing else: no tests, no weights of the user', async () => {
    const top = (await readdir(installed)).sort();
    expect(top).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config',
      'dist',
      'models',
      'package.json',
      'scripts',
    ]);
    expect((await readdir(join(installed, 'models'))).sort()).toEqual(['README.md', 'compact-x2.safetensors']);
    expect(await readdir(join(installed, 'scripts'))).toEqual(['prune-runtime.mjs']);
  });

  it('upscales in an empty folder with what it brings', async () => {
    const picture = join(folder.path, 'small.png');
    await sharp({ create: { width: 12, height: 8, channels: 3, background: '#4488cc' } }).toFile(picture);
    await hiresfix(['upscale', picture, '-o', 'large.png', '--upscaler', 'COMPACT_X2']);
    const { width, height } = await sharp(await readFile(join(folder.path, 'elsewhere', 'large.png'))).metadata();
    expect([width, height]).toEqual([24, 16]);
  });

  it('says what to install where an object store is asked for and its client is not there', async () => {
    const refused = hiresfix(['serve'], { STORAGE_URL: 's3://bucket' });
    await expect(refused).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('STORAGE_URL: the client of object stores is not installed; run `npm install'),
    });
  });

  it('says what to install where an HEIC picture comes and its decoder is not there, and reads it where it is', async () => {
    const args = [
      'upscale',
      join(ROOT, 'test', 'fixtures', 'imaging', 'heic', 'color.heic'),
      '-u',
      'LANCZOS',
      '-o',
      'photo.png',
    ];
    await expect(hiresfix(args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'got an HEIC image; convert it first, or have its decoder installed: `npm install',
      ),
    });
    await symlink(join(ROOT, 'node_modules', 'libheif-js'), join(dirname(installed), 'libheif-js'));
    await hiresfix(args);
    const { width, height } = await sharp(await readFile(join(folder.path, 'elsewhere', 'photo.png'))).metadata();
    expect([width, height]).toEqual([112, 80]);
  });

  it('does not fetch the libraries of CUDA (300 MB) with `npm ci`, which reads this from the lock file', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    // `npm install` writes the line anew: take "hasInstallScript" out of that entry again.
    expect(lock.packages['node_modules/onnxruntime-node']).not.toHaveProperty('hasInstallScript');
  });
});

describe('the packages of a clone', () => {
  it('keep what programs load, licences, and the libraries of this machine alone', async () => {
    const folder = await temporaryFolder();
    const kept = [
      `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/binding.node`,
      'onnxruntime-node/package.json',
      'onnxruntime-node/docs.js',
      '@scope/one/LICENSE.md',
      '@scope/one/dist/one.js',
      '@scope/one/dist/one.d.ts',
      '@scope/one/dist/test/loaded.js',
      '@scope/one/src/one.d.mts',
      'react-dom/LICENSE',
      'react-dom/package.json',
      'two/README.md', // which may hold the licence: there is no other file for it
    ];
    const gone = [
      'onnxruntime-node/bin/napi-v6/sunos/sparc/binding.node',
      '@scope/one/README.md',
      '@scope/one/dist/one.js.map',
      '@scope/one/src/one.ts',
      '@scope/one/test/one.js',
      'react-dom/index.js',
      'two/docs/two.html',
    ];
    const modules = join(folder.path, 'node_modules');
    for (const file of [...kept, ...gone]) {
      await mkdir(dirname(join(modules, file)), { recursive: true });
      await writeFile(join(modules, file), '{}');
    }
    const script = join(folder.path, 'scripts', 'prune-runtime.mjs');
    await cp(join(ROOT, 'scripts', 'prune-runtime.mjs'), script);
    await run(process.execPath, [script]);
    const left = await readdir(modules, { recursive: true, withFileTypes: true });
    const files = left
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(modules, join(parentPath, name)));
    expect(files.sort()).toEqual([...kept].sort());
    await folder.remove();
  });
});

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}
