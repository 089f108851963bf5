import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InspectionError } from '../../../../app/catalog/errors.ts';
import { CheckpointInspector } from '../../../../app/catalog/inspection/checkpoint-inspector.ts';
import { writeChunks } from '../../../../app/checkpoints/write-chunks.ts';
import { endlessOnnx } from '../../../support/hostile/endless-onnx.ts';
import { zipArchive } from '../../../support/checkpoints/checkpoint-writer.ts';
import { writeOnnxUpscaler } from '../../../support/networks/onnx-upscaler.ts';
import { readSmallNetworks, writeSmallNetwork } from '../../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

function goodFile(): string {
  const [network] = readSmallNetworks();
  if (!network) throw new Error('no network');
  const file = join(folder.path, 'good.pth');
  writeSmallNetwork(file, network, 'pth-zip');
  return file;
}

/** 2.4 million operations that make 480,000 dicts: as much as a file may ask for. */
function busyFile(): string {
  const file = join(folder.path, 'busy.pth');
  const body = Buffer.from(`\u0080\u0002](${'}'.repeat(480_000)}e.`, 'latin1');
  writeChunks(file, zipArchive([['archive/data.pkl', body]]));
  return file;
}

describe('CheckpointInspector', () => {
  it('tells what network a file holds, and why another holds none, in one process', async () => {
    const inspector = new CheckpointInspector();
    const html = join(folder.path, 'page.pth');
    await writeFile(html, '<!DOCTYPE html><html></html>');
    const [good, page] = await Promise.allSettled([inspector.inspect(goodFile()), inspector.inspect(html)]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { scale: expect.any(Number) } });
    const message = expect.stringMatching(/^page\.pth: this is a web page/) as unknown;
    expect(page).toMatchObject({ status: 'rejected', reason: { code: 'ERR_BAD_CHECKPOINT', message } });
  });

  it('gives up on a file that takes too long, and reads the next', async () => {
    const inspector = new CheckpointInspector({ timeoutMs: 1 });
    await expect(inspector.inspect(busyFile())).rejects.toThrow(/did not finish: it takes more than 0\.001 s/);
    await expect(new CheckpointInspector().inspect(goodFile())).resolves.toHaveProperty('architecture');
  });

  it('gives up on a file that takes too much memory, and reads the next', async () => {
    const inspector = new CheckpointInspector({ heapMb: 40 });
    await expect(inspector.inspect(busyFile())).rejects.toBeInstanceOf(InspectionError);
    await expect(inspector.inspect(goodFile())).resolves.toHaveProperty('architecture');
  });

  it.each([
    ['memory outside the heap', { memoryMb: 20 }, /it takes more memory than any model/],
    ['work, however little of the time it gets', { cpuMs: 10 }, /it takes more than 0\.01 s of work/],
  ])('gives up on a file that takes too much %s', async (_what, limits, words) => {
    await expect(new CheckpointInspector(limits).inspect(busyFile())).rejects.toThrow(words);
  });

  it('gives up on an ONNX file that does not end, and reads the next', async () => {
    const inspector = new CheckpointInspector({ cpuMs: 250 });
    const file = join(folder.path, 'endless.onnx');
    await writeFile(file, endlessOnnx());
    await expect(inspector.inspect(file)).rejects.toThrow(/did not finish: it takes more than (1 s of work|30 s)/);
    writeOnnxUpscaler(folder.path, 'good', { network: 'compact-x2' });
    const found = { architecture: 'ONNX', scale: 2, inputChannels: 3, outputChannels: 3 };
    await expect(new CheckpointInspector().inspect(join(folder.path, 'good.onnx'))).resolves.toMatchObject(found);
  });

  it('leaves this process to others meanwhile', async () => {
    const inspector = new CheckpointInspector();
    await inspector.inspect(goodFile());
    const files = [busyFile(), goodFile()];
    const before = performance.eventLoopUtilization();
    await Promise.allSettled(files.map((file) => inspector.inspect(file)));
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5); // near 1 if it read them itself
  });
});
