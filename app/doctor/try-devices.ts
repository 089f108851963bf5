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

/** A device to try: its kind, what it is called, and of several cards the one. */
interface Trial {
  readonly kind: 'cuda' | 'mps' | 'cpu';
  readonly device: string;
  readonly card?: string;
}

const SIDE = 64;

/**
 * Enlarges a small picture on every device that is installed or asked for, by the network that the package brings, one after another.
 * @param cards UUIDs of those that CUDA may use
 */
export async function tryDevices(config: Config, cards: readonly string[]): Promise<Finding<readonly DeviceReport[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'hiresfix-doctor-'));
  try {
    await writeFile(join(folder, 'picture.png'), smallPicture());
    const found: DeviceReport[] = [];
    for (const trial of trialsFor(config, cards)) found.push(await tryDevice(trial, folder, config));
    const problems = found.flatMap(({ device, reason }) =>
      reason === null ? [] : [{ is_error: true, problem: `${device}: ${reason}`, remedy: remedyFor(device) }],
    );
    return { found, problems };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function trialsFor({ card, device, forceCpu }: Config, cards: readonly string[]): readonly Trial[] {
  const asked = device === 'auto' ? [] : [device];
  const kinds = forceCpu ? (['cpu'] as const) : [...new Set([...asked, ...installedDevices()])];
  return kinds.flatMap((kind): readonly Trial[] => {
    if (kind !== 'cuda') return [{ kind, device: kind }];
    if (card !== undefined) return [{ kind, device: `cuda:${card}` }]; // which workers are given
    if (cards.length < 2) return [{ kind, device: kind }];
    return cards.map((uuid, number) => ({ kind, device: `cuda:${number}`, card: uuid }));
  });
}

async function tryDevice({ kind, device, card }: Trial, folder: string, config: Config): Promise<DeviceReport> {
  const pool = new WorkerPool(config, { isBackground: false, ...(card !== undefined && { cards: [card] }) });
  const start = performance.now();
  try {
    const options = upscaleOptions.parse({ upscaler: 'COMPACT_X2', device: kind, is_face_enhance: false });
    const image = {
      file: join(folder, 'picture.png'),
      name: 'picture.png',
      outputStem: join(folder, device.replace(':', '-')),
    };
    const output = outputOptions.parse({ output_format: 'png', metadata: 'strip' });
    const [result] = await pool.run({ kind: 'hires-fix', images: [image], options, output });
    const isWorking = result?.info.device === kind;
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
  if (device.startsWith('cuda')) return 'see what is said of CUDA above, and docs/gpus.md; DEVICE=cpu does without';
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
