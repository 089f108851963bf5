import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../../app/architectures/inspect-checkpoint.ts';
import { CheckpointError } from '../../../app/checkpoints/errors.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { refusalOf } from '../../support/refusal-of.ts';
import { smallNetwork, smallTensors, writeSmallNetwork } from '../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const READERS = fileURLToPath(new URL('../../fixtures/readers/', import.meta.url));

let folder: TemporaryFolder;
let file: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'checkpoint.pth');
});

afterEach(() => folder.remove());

const network = smallNetwork('old-x4-gray');

describe('inspectCheckpoint', () => {
  it.each(['pth-zip', 'pth-legacy', 'safetensors'] as const)(
    'tells all of a %s in the words of the contract',
    (format) => {
      writeSmallNetwork(file, network, format);
      const shapes = Object.values(network.tensors).map(([shape]) => shape);
      expect(inspectCheckpoint(file)).toEqual({
        architecture: 'ESRGAN',
        scale: 4,
        input_channels: 1,
        output_channels: 1,
        parameters: {
          in_nc: 1,
          out_nc: 1,
          num_filters: 16,
          num_blocks: 1,
          plus: false,
          shuffle_factor: null,
          num_feat: 16,
          num_block: 1,
          network_scale: 4,
        },
        tensors: 42,
        parameter_count: shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0),
        format,
      });
    },
  );

  it.each(['float16', 'bfloat16'] as const)('counts %s like any other', (floats) => {
    writeCheckpoint(file, smallTensors(network), { format: 'pth-zip', root: 'params_ema', prefix: 'module.', floats });
    expect(inspectCheckpoint(file)).toMatchObject({ architecture: 'ESRGAN', tensors: 42, format: 'pth-zip' });
  });

  it('names the file and what it is where it is no checkpoint', () => {
    const html = join(folder.path, 'RealESRGAN_x4plus.pth');
    writeFileSync(html, '<!DOCTYPE html>\n<html><head><title>Not found</title></head></html>');
    expect(refusalOf(() => inspectCheckpoint(html))).toMatchObject({ code: 'ERR_BAD_CHECKPOINT', kind: 'html' });
    expect(refusalOf(() => inspectCheckpoint(html)).message).toMatch(/^RealESRGAN_x4plus\.pth: this is a web page/);
  });

  it.each(['bad_empty.pth', 'bad_git_lfs_pointer.pth', 'bad_png.pth', 'bad_os_system_reduce.pth', 'bad_zeros.pth'])(
    'refuses %s as the reader does',
    (name) => {
      expect(refusalOf(() => inspectCheckpoint(READERS + name))).toBeInstanceOf(CheckpointError);
    },
  );

  it('refuses what ends too soon, wherever it ends', () => {
    writeSmallNetwork(file, network, 'safetensors');
    const whole = readFileSync(file);
    for (const length of [1, 7, 8, 9, 100, 4000, whole.length - 1]) {
      const cut = join(folder.path, 'cut.safetensors');
      writeFileSync(cut, whole.subarray(0, length));
      expect(refusalOf(() => inspectCheckpoint(cut))).toBeInstanceOf(CheckpointError);
    }
  });

  it('says what is known where a sound checkpoint is of no network', () => {
    const error = refusalOf(() => inspectCheckpoint(`${READERS}ok_zip_views.pth`));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_NETWORK' });
    expect(error.message).toMatch(/^ok_zip_views\.pth: no network that is known here .*ESRGAN, Compact/);
  });

  it('names a block that is missing', () => {
    const tensors = smallTensors({ ...network, tensors: rename(network.tensors, 'model.1.sub.0.', 'model.1.sub.1.') });
    writeCheckpoint(file, tensors, { format: 'safetensors' });
    expect(refusalOf(() => inspectCheckpoint(file))).toMatchObject({ code: 'ERR_BAD_WEIGHTS' });
    expect(refusalOf(() => inspectCheckpoint(file)).message).toContain('model.1.sub.0: missing in checkpoint.pth');
  });
});

function rename<T>(tensors: Readonly<Record<string, T>>, from: string, to: string): Record<string, T> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name.replace(from, to), tensor]));
}
