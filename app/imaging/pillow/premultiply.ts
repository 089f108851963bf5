import type { ImageShape } from '../image.ts';
import type { KernelMemory } from './kernel-memory.ts';

type Kind = Pick<ImageShape, 'channels' | 'depth'>;

/** Samples in the kernels' memory. */
interface KernelSamples {
  readonly address: number;
  readonly bytes: number;
}

/**
 * Multiplies colour by alpha, which is last. 8 bits round as Pillow's RGBA to RGBa conversion (`MULDIV255`: the quotient by 255,
 * rounded, without dividing); 16 bits do the same with 65535.
 */
export function premultiply(memory: KernelMemory, { address, bytes }: KernelSamples, { channels, depth }: Kind): void {
  const { premultiply16, premultiplyGrayAlpha8, premultiplyRgba8 } = memory.kernels;
  if (depth === 16) premultiply16(address, bytes, channels);
  else if (channels === 2) premultiplyGrayAlpha8(address, bytes);
  else premultiplyRgba8(address, bytes);
}

/**
 * Divides colour by alpha. 8 bits as Pillow's RGBa to RGBA: truncated, clipped, and left alone where alpha is 0 or full; 16 bits
 * round to the nearest, since no reference binds them.
 */
export function unpremultiply(
  memory: KernelMemory,
  { address, bytes }: KernelSamples,
  { channels, depth }: Kind,
): void {
  const { unpremultiply16, unpremultiplyGrayAlpha8, unpremultiplyRgba8 } = memory.kernels;
  if (depth === 16) unpremultiply16(address, bytes, channels);
  else if (channels === 2) unpremultiplyGrayAlpha8(address, bytes);
  else unpremultiplyRgba8(address, bytes);
}
