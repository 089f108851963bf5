import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Config } from '../config.ts';
import { makePngChunk } from '../imaging/codec/png-chunks.ts';
import { installedDevices } from '../inference/runtime-files.ts';
import { outputOptions } from '../options/output-options.ts';
import { upscaleOptions } from '../options/upscale-options.ts';
import { WorkerPool } from '../worker/worker-pool.ts';
import type { Finding } from './finding.ts';

/** What came of a small picture on a device. */
export interface DeviceReport {
  readonly device: string;
  readonly is_working: boolean;
  /** Of the whole: a worker that starts, loads the network and writes the result. */
  readonly seconds: number;
  /** Why it does not work. */
  readonly reason: string | null;
}

type Installation = Pick<Config, 'device' | 'forceCpu'>;

const SIDE = 64;

/** Enlarges a small picture on every device that is installed or asked for, by the network that the package brings, one after another. */
export async function tryDevices(config: Config): Promise<Finding<readonly DeviceReport[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'hiresfix-doctor-'));
  try {
    await writeFile(join(folder, 'picture.png'), smallPicture());
    const found: DeviceReport[] = [];
    for (const device of devicesOf(config)) found.push(await tryDevice(device, folder, config));
    const problems = found.flatMap(({ device, reason }) =>
      reason === null ? [] : [{ is_error: true, problem: `${device}: ${reason}`, remedy: remedyFor(device) }],
    );
    return { found, problems };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function devicesOf({ device, forceCpu }: Installation): readonly ('cuda' | 'mps' | 'cpu')[] {
  if (forceCpu) return ['cpu'];
  const asked = device === 'auto' ? [] : [device];
  return [...new Set([...asked, ...installedDevices()])];
}

async function tryDevice(device: 'cuda' | 'mps' | 'cpu', folder: string, config: Config): Promise<DeviceReport> {
  const pool = new WorkerPool(config, { isBackground: false });
  const start = performance.now();
  try {
    const options = upscaleOptions.parse({ upscaler: 'COMPACT_X2', device, is_face_enhance: false });
    const image = { file: join(folder, 'picture.png'), name: 'picture.png', outputStem: join(folder, device) };
    const output = outputOptions.parse({ output_format: 'png', metadata: 'strip' });
    const [result] = await pool.run({ kind: 'hires-fix', images: [image], options, output });
    const isWorking = result?.info.device === device;
    const reason = isWorking ? null : (result?.info.fallbacks[0]?.reason ?? 'nothing came of the picture');
    return { device, is_working: isWorking, seconds: secondsSince(start), reason };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { device, is_working: false, seconds: secondsSince(start), reason };
  } finally {
    await pool.close();
  }
}

function secondsSince(start: number): number {
  return Math.round(performance.now() - start) / 1000;
}

function remedyFor(device: string): string {
  if (device === 'cuda') return 'see what is said of CUDA above, and docs/gpus.md; DEVICE=cpu does without';
  if (device === 'mps') return 'CoreML is part of the build for Apple silicon alone; DEVICE=auto takes what is there';
  return 'install again (npm ci), and report it with the output of hiresfix doctor --json if that does not help';
}

/** Gray from black to white, as a PNG. */
function smallPicture(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = 8; // bits
  const row = Buffer.from([0, ...Array.from({ length: SIDE }, (_, x) => x * 4)]);
  const rows = deflateSync(Buffer.concat(Array.from({ length: SIDE }, () => row)));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    makePngChunk('IHDR', header),
    makePngChunk('IDAT', rows),
    makePngChunk('IEND', new Uint8Array(0)),
  ]);
}
