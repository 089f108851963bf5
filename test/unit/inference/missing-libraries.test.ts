import { execFile } from 'node:child_process';
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readElfFile } from '../../../app/inference/elf-file.ts';
import { missingLibraries } from '../../../app/inference/missing-libraries.ts';
import { BINDING, renamedLibrary } from '../../support/own-runtime.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);

/** A library that needs three of CUDA in place of its own. */
async function provider(): Promise<string> {
  const names = {
    'libonnxruntime.so.1': 'libcublasLt.so.13',
    'libstdc++.so.6': 'libcufft.so.12',
    'libgcc_s.so.1': 'libcuda.so.1',
  };
  await renamedLibrary(at('provider.so'), names);
  return at('provider.so');
}

describe('the libraries that a library lacks', () => {
  it('are named all, with those that it loads later', async () => {
    const missing = ['libcublasLt.so.13', 'libcufft.so.12', 'libcuda.so.1', 'libcudnn.so.9'];
    expect([...missingLibraries(await provider(), ['libcudnn.so.9'], '')].sort()).toEqual([...missing].sort());
  });

  it('are the one that the loader of the system names first', async () => {
    const load = `try { process.dlopen({ exports: {} }, ${JSON.stringify(await provider())}) } catch (error) { console.log(error.message) }`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', load]);
    const [name] = stdout.split(':');
    expect(missingLibraries(at('provider.so'), [], '')[0]).toBe(name);
  });

  it('are not those of LD_LIBRARY_PATH, but what these lack', async () => {
    const file = await provider();
    await renamedLibrary(at('libcublasLt.so.13'), { 'libonnxruntime.so.1': 'libnvJitLink.so.13' });
    const missing = missingLibraries(file, [], `/nowhere:${folder.path}`);
    expect([...missing].sort()).toEqual(['libcuda.so.1', 'libcufft.so.12', 'libnvJitLink.so.13']);
  });

  it('are those of another processor too', async () => {
    const file = await provider();
    await renamedLibrary(at('libcublasLt.so.13'), {}, { machine: 8 });
    expect(missingLibraries(file, [], folder.path)).toContain('libcublasLt.so.13');
  });

  it('are none of those beside it, where it says that they lie there', async () => {
    expect(missingLibraries(BINDING, [], '')).toEqual([]);
    await copyFile(BINDING, at('alone.node'));
    expect(missingLibraries(at('alone.node'), [], '')).toEqual(['libonnxruntime.so.1']);
  });

  it('are none of a program that runs, nor of what is no library', async () => {
    expect(missingLibraries(process.execPath, [], '')).toEqual([]);
    await writeFile(at('text.so'), 'not a library');
    expect(missingLibraries(at('text.so'), [], '')).toEqual([]);
    expect(missingLibraries(folder.path, [], '')).toEqual([]);
  });
});

describe('readElfFile', () => {
  it('reads what readelf of binutils tells of a library', () => {
    expect(readElfFile(BINDING)).toMatchObject({
      needed: expect.arrayContaining(['libonnxruntime.so.1']),
      searchPath: ['$ORIGIN/'],
    });
  });

  it.each([0, 3, 64, 100, 4096])('has nothing to say of a file that is cut off after %i bytes', async (length) => {
    await copyFile(BINDING, at('cut.so'));
    await truncate(at('cut.so'), length);
    expect(readElfFile(at('cut.so'))).toBeUndefined();
  });
});
