import type { Network } from '../../architectures/architecture.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { Size } from '../result.ts';

/** What one tile's activations may take on a device whose memory nobody told us: 23 blocks at 256 px (measured 1.3 GB). */
export const WORKING_BYTES = 1.3e9;
/**
 * The same for networks whose result is better the more they see. Over many tiles onnxruntime holds half as much again, and the
 * process itself more than 1 GB with the weights: NAFNet of width 64 stays below 4 GB.
 */
const WHOLE_IMAGE_BYTES = 1.9e9;
const STEP = 32;
const SMALLEST = 64;
const LARGEST = 1024;

/** Cores that are tried in turn when memory runs out. */
const LADDER = [400, 200, 100, 64];

/**
 * The core side that `auto` stands for, in input pixels: the largest that keeps a tile's activations within bounds. On the
 * CPU the cost of a pixel is the same from 64 to 256, so only the halo's share and memory decide.
 * @param images how many images go through the network at once (`imagesSeen`, for each mirrored view)
 * @param bytes what activations may take, where the device's memory is known
 */
export function autoTile(
  network: Pick<Network, 'workingBytesPerPixel'>,
  images: number,
  bytes = WORKING_BYTES,
): number {
  const side = Math.sqrt(bytes / (network.workingBytesPerPixel * images));
  return Math.min(LARGEST, Math.max(SMALLEST, Math.floor(side / STEP) * STEP));
}

/**
 * The core side that `auto` stands for at scale 1, in pixels: 0, the whole image, where its activations keep within bounds,
 * else the largest whose window with its halo does.
 * @param bytes what activations may take, where the device's memory is known
 */
export function autoCore(
  network: Pick<Network, 'workingBytesPerPixel' | 'halo'>,
  { width, height }: Size,
  bytes = WHOLE_IMAGE_BYTES,
): number {
  const pixels = autoWindow(network, bytes);
  if (width * height <= pixels) return 0;
  const side = Math.sqrt(pixels) - 2 * network.halo;
  return Math.max(SMALLEST, Math.floor(side / STEP) * STEP);
}

/**
 * The pixels of the largest window whose activations keep within bounds.
 * @param bytes what activations may take, where the device's memory is known
 */
export function autoWindow(
  { workingBytesPerPixel }: Pick<Network, 'workingBytesPerPixel'>,
  bytes = WHOLE_IMAGE_BYTES,
): number {
  return Math.floor(bytes / workingBytesPerPixel);
}

/** A network with what it takes on a device. */
export function networkOn<N extends Pick<Network, 'workingBytesPerPixel' | 'workingBytesPerPixelOnCpu'>>(
  network: N,
  device: SessionDevice,
): N {
  const { workingBytesPerPixel, workingBytesPerPixelOnCpu = workingBytesPerPixel } = network;
  return device === 'cpu' ? { ...network, workingBytesPerPixel: workingBytesPerPixelOnCpu } : network;
}

/**
 * The next smaller core after one that ran out of memory, or undefined at the end of the ladder.
 * @param tile core side in input pixels; 0 is the whole image
 * @param side the image's longer side: a tile larger than the image is the image
 */
export function smallerTile(tile: number, side: number): number | undefined {
  const used = tile === 0 ? side : Math.min(tile, side);
  return LADDER.find((rung) => rung < used);
}
