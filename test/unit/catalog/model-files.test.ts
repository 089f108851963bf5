import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findModelFiles } from '../../../app/catalog/model-files.ts';
import { asNobody } from '../../support/as-nobody.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hiresfix-files-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), 'x');
  }
}

async function found(): Promise<string[]> {
  return (await findModelFiles(directory)).map((file) => file.relativePath);
}

describe('findModelFiles', () => {
  it('finds checkpoints in the folder and below, nearer ones first', async () => {
    await put(
      'b.pth',
      'a.pth',
      'sub/c.safetensors',
      'sub/sub/d.ckpt',
      'e.pt',
      'a.safetensors',
      'a.bin',
      'z.sft',
      'b.onnx',
    );
    expect(await found()).toEqual([
      'a.safetensors',
      'z.sft',
      'a.pth',
      'b.pth',
      'e.pt',
      'a.bin',
      'b.onnx',
      'sub/c.safetensors',
      'sub/sub/d.ckpt',
    ]);
  });

  it('takes endings in any case, and leaves out what macOS puts beside files', async () => {
    await put('A.PTH', 'b.SafeTensors', '._A.PTH', 'sub/._c.pth');
    expect(await found()).toEqual(['b.SafeTensors', 'A.PTH']);
  });

  it('does not take anything else for a model', async () => {
    await put(
      'README.md',
      'x.pth.part',
      'x.pth.part.json',
      'x.pth.corrupt',
      'x.pth.corrupt-2',
      'x.pth.lock',
      'models.lock.json',
      'x.param',
      'pth',
    );
    await mkdir(join(directory, 'folder.pth'));
    expect(await found()).toEqual([]);
  });

  it('follows links, and not in circles', async () => {
    await put('real/a.pth');
    await symlink(join(directory, 'real/a.pth'), join(directory, 'link.pth'));
    await symlink(directory, join(directory, 'real/loop'));
    await symlink(join(directory, 'nowhere.pth'), join(directory, 'dangling.pth'));
    expect(await found()).toEqual(['link.pth', 'real/a.pth']);
  });

  it('finds nothing in a folder that is not there', async () => {
    expect(await findModelFiles(join(directory, 'not-there'))).toEqual([]);
  });

  it('leaves out what it may not read', async () => {
    await put('open/a.pth', 'closed/b.pth');
    for (const path of ['.', 'open']) await chmod(join(directory, path), 0o755); // whatever the umask
    await chmod(join(directory, 'closed'), 0);
    expect(await asNobody(found)).toEqual(['open/a.pth']);
    await chmod(join(directory, 'closed'), 0o755);
  });
});
