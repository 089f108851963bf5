import { describe, expect, it } from '@jest/globals';
import type { ModelFile } from '../../../app/catalog/model-files.ts';
import { stemOf } from '../../../app/catalog/model-files.ts';
import { ModelIndex } from '../../../app/catalog/model-index.ts';
import { readRemoteModels } from '../../../app/catalog/remote-model.ts';
import { NETWORK_UPSCALERS } from '../../../app/processing/upscale/upscalers.ts';

const official = readRemoteModels();

function file(relativePath: string): ModelFile {
  const filename = relativePath.split('/').at(-1) ?? '';
  const path = `/models/${relativePath}`;
  return { path, relativePath, stem: stemOf(filename), size: 1, mtimeMs: 1, identity: path };
}

function index(...paths: string[]): ModelIndex {
  return new ModelIndex(official, paths.map(file), [file('compact-x2.safetensors')]);
}

describe('ModelIndex', () => {
  it.each(official.map((model) => [model.name, model.filename]))(
    'finds %s by its name, its file and its stem',
    (name, filename) => {
      for (const spelling of [name, filename, stemOf(filename), name.toUpperCase(), filename.toLowerCase()]) {
        expect(index().find(spelling)?.name).toBe(name);
      }
    },
  );

  it('finds a file by its path below the folder without its ending, and in either form of Unicode', () => {
    const both = index('4x-Same.pth', 'sub/4x-Same.pth', 'UPPER.PTH', 'e\u0301te\u0301.pth');
    expect(both.find('sub/4x-Same')?.file?.relativePath).toBe('sub/4x-Same.pth');
    expect(both.find('4x-Same')?.file?.relativePath).toBe('4x-Same.pth');
    expect(both.find('\u00e9t\u00e9')?.file?.relativePath).toBe('e\u0301te\u0301.pth');
    expect(both.find('\u00e9t\u00e9.pth')?.file?.relativePath).toBe('e\u0301te\u0301.pth');
    expect([both.find('upper')?.name, both.find('UPPER.PTH')?.name]).toEqual(['UPPER', 'UPPER']);
  });

  it('finds every upscaler by its type', () => {
    for (const [type, { model }] of NETWORK_UPSCALERS) expect(index().find(type)?.name).toBe(model);
  });

  it("finds the package's own model, whatever lies in the folder", () => {
    for (const name of ['compact-x2', 'COMPACT_X2', 'compact-x2.safetensors']) {
      expect(index('mine.pth').find(name)).toMatchObject({ kind: 'bundled', name: 'compact-x2', file: { size: 1 } });
    }
  });

  it('finds an official file in a subfolder, and in another format', () => {
    expect(index('faces/codeformer.pth').find('codeformer')?.file?.relativePath).toBe('faces/codeformer.pth');
    expect(index('codeformer.safetensors').find('codeformer')?.file?.relativePath).toBe('codeformer.safetensors');
    expect(index('codeformer.ckpt').find('codeformer.pth')?.file?.relativePath).toBe('codeformer.ckpt');
  });

  it('takes the file of the official name before another format of it', () => {
    expect(index('codeformer.safetensors', 'codeformer.pth').find('codeformer')?.file?.relativePath).toBe(
      'codeformer.pth',
    );
    expect(index('codeformer.safetensors', 'codeformer.pth').find('codeformer.safetensors')).toMatchObject({
      name: 'codeformer',
      file: { relativePath: 'codeformer.safetensors' },
    });
  });

  it("finds the user's files by name, path, stem, and stem in another case", () => {
    const mine = index('4x-UltraSharp.pth', 'sub/deeper/2xHFA2k.safetensors');
    for (const name of ['4x-UltraSharp.pth', '4x-UltraSharp', '4X-ULTRASHARP'])
      expect(mine.find(name)?.name).toBe('4x-UltraSharp');
    expect(mine.find('4x-ultrasharp')).toMatchObject({ kind: 'official', file: { relativePath: '4x-UltraSharp.pth' } });
    for (const name of ['2xHFA2k', '2xHFA2k.safetensors', 'sub/deeper/2xHFA2k.safetensors']) {
      expect(mine.find(name)).toMatchObject({ kind: 'user', file: { relativePath: 'sub/deeper/2xHFA2k.safetensors' } });
    }
  });

  it('finds names with dots in them', () => {
    expect(index('v2.1-photo.pth').find('v2.1-photo')?.name).toBe('v2.1-photo');
    expect(index().find('gfpgan-1.4')?.name).toBe('gfpgan-1.4');
  });

  it('prefers a file that is written as it was asked for to an official one that is written alike', () => {
    expect(index('RealESRGAN-x4plus.pth').find('RealESRGAN-x4plus')).toMatchObject({ kind: 'user' });
    expect(index('RealESRGAN-x4plus.pth').find('REALESRGAN_X4PLUS')).toMatchObject({ kind: 'official' });
  });

  it('takes no exported file for an official model, but for one of its own', () => {
    const both = index('RealESRGAN_x4plus.onnx', '4x-Same.onnx', 'sub/4x-Same.pth');
    expect(both.find('REALESRGAN_X4PLUS')).toMatchObject({ kind: 'official', file: undefined });
    expect(both.find('RealESRGAN_x4plus.onnx')).toMatchObject({ kind: 'user', name: 'RealESRGAN_x4plus.onnx' });
    expect(both.find('4x-Same')?.file?.relativePath).toBe('4x-Same.onnx');
    expect(both.find('sub/4x-Same.pth')?.file?.relativePath).toBe('sub/4x-Same.pth');
  });

  it('names files of one stem apart', () => {
    const names = index('a/x.pth', 'b/x.pth')
      .models.filter(({ kind }) => kind === 'user')
      .map(({ name }) => name);
    expect(names).toEqual(['x', 'b/x.pth']);
    expect(index('a/x.pth', 'b/x.pth').find('b/x.pth')?.file?.relativePath).toBe('b/x.pth');
  });

  it.each(['', '.', '..', '../secret.pth', '/etc/passwd', 'nothing', 'pth'])('does not know %j', (name) => {
    expect(index('mine.pth').find(name)).toBeUndefined();
  });
});
