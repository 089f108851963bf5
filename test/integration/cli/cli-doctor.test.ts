import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Diagnosis } from '../../../app/doctor/diagnose.ts';
import { CommandLine } from '../../support/command-line.ts';
import { plantNvidiaSmi, TWO_CARDS } from '../../support/nvidia-smi.ts';
import { ownRuntime, renamedLibrary } from '../../support/own-runtime.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** The program with an onnxruntime of its own. */
let commandLine: CommandLine;
let libraries: string;
let folder: TemporaryFolder;

beforeAll(async () => {
  [commandLine, folder] = [await CommandLine.build({}), await temporaryFolder()]; // a build that is not shared
  libraries = await ownRuntime(commandLine.main);
});
afterAll(async () => {
  await commandLine.remove();
  await folder.remove();
});

describe('hiresfix doctor', () => {
  it('says what there is, and that nothing is wrong with it', async () => {
    const env = { MODELS_DIR: join(folder.path, 'models') };
    const { code, stdout, stderr } = await commandLine.run(['doctor'], { cwd: folder.path, env });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^cpu +a small picture in [\d.]+ s$/m);
    expect(stdout).toMatch(/^models +compact-x2 \(bundled\)$/m);
    expect(stdout).toMatch(/^UPLOAD_FOLDER +.*temp_uploads \(not yet made, [\d.]+ GB free\)$/m);
    expect(stdout).toMatch(/^downloads +off$/m);
    expect(stdout).toContain('nothing is wrong');
    expect(await folder.files()).toEqual([]); // it has looked, and left nothing
  });

  it('names each library that CUDA lacks and where to get it, and so does the fallback', async () => {
    const names = { 'libonnxruntime.so.1': 'libcudart.so.13', 'libgcc_s.so.1': 'libcuda.so.1' };
    await renamedLibrary(join(libraries, 'libonnxruntime_providers_cuda.so'), names);
    const programs = await plantNvidiaSmi(folder.path, TWO_CARDS);
    await mkdir(join(folder.path, 'models'));
    await writeFile(join(folder.path, 'models', 'RealESRGAN_x4plus.pth'), 'broken');
    await writeFile(join(folder.path, 'file'), '');
    const env = {
      ...{
        FORCE_CPU: 'false',
        MODELS_DIR: join(folder.path, 'models'),
        UPLOAD_FOLDER: join(folder.path, 'file', 'up'),
      },
      ...{ PATH: `${programs}:${process.env['PATH']}`, CUDA_VISIBLE_DEVICES: '1,0' },
    };
    const { code, stdout, stderr } = await commandLine.run(['doctor', '--json'], { cwd: folder.path, env });
    const { cuda: found, devices, problems, models, is_healthy: isHealthy } = JSON.parse(stdout) as Diagnosis;
    expect([code, isHealthy]).toEqual([1, false]);
    expect(stderr).toMatch(/^hiresfix: \d of these problems keep something from working\n$/);
    expect(found).toMatchObject({ cuda: 13, cards: [{ cuda_number: 1 }, { free_mib: 4000, cuda_number: 0 }] });
    expect([...found.missing_libraries].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'libcuda.so.1', source: "NVIDIA's driver for the card" },
      { name: 'libcudart.so.13', source: "CUDA 13 (pip install nvidia-cuda-runtime, or NVIDIA's package repository)" },
      { name: 'libcudnn.so.9', source: expect.stringContaining('nvidia-cudnn-cu13') },
      { name: 'libonnxruntime_providers_shared.so', source: expect.stringContaining('docs/gpus.md') },
    ]);
    expect(devices).toMatchObject([
      { device: 'cuda:0', is_working: false, reason: expect.stringContaining('cuda cannot be used here') },
      { device: 'cuda:1', is_working: false },
      { device: 'cpu', is_working: true, reason: null },
    ]);
    for (const { name } of found.missing_libraries) expect(devices[0]?.reason).toContain(name);
    expect(models).toContainEqual({ name: 'realesrgan-x4plus', state: 'unusable' });
    const told = problems.map(({ problem }) => problem).join('\n');
    expect(told).toContain('model realesrgan-x4plus: ');
    expect(told).toContain(`UPLOAD_FOLDER: ${join(folder.path, 'file', 'up')} cannot be made`);
    for (const { remedy } of problems) expect(remedy).not.toBe('');
  });
});
