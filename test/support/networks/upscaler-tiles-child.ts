/**
 * Says by which tiles COMPACT_X2 would be run on CUDA, and by which it is where CUDA cannot be had. The memory of the card is what
 * `nvidia-smi` on PATH says, and the picture one of 1200 x 1200.
 */
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../app/config.ts';
import { deviceMemory } from '../../../app/processing/networks/device-memory.ts';
import { RealESRGANUpscaler } from '../../../app/processing/upscale/real-esrgan-upscaler.ts';

const file = fileURLToPath(new URL('../../../models/compact-x2.safetensors', import.meta.url));
const devices = ['cuda', 'cpu'] as const;
const SIDE = 1200;
const source = { width: SIDE, height: SIDE, channels: 3, depth: 8, readRows: () => new Uint8Array(0) } as const;
const options = { tile: 'auto', tilePad: 'auto', prePad: 0, isOpaque: true } as const;
const corner = { x: 0, y: 0, width: 1, height: 1 };

const memory = await deviceMemory(loadConfig({ WORKERS: process.env['WORKERS'] }), devices);
const upscaler = await RealESRGANUpscaler.open({ file }, { devices, isBatch: true, memory });
const seen = upscaler.seenFor(source, options, corner).width;
const { tile, tiles } = await upscaler.load(source, options);
process.stdout.write(JSON.stringify({ bytes: memory('cuda'), seen, device: upscaler.device, tile, tiles }));
await upscaler.close();
