import { describe, expect, it } from '@jest/globals';
import {
  autoCore,
  autoTile,
  autoWindow,
  networkOn,
  smallerTile,
} from '../../../../app/processing/networks/tile-size.ts';

describe('the tile that auto stands for', () => {
  /** What 23 blocks take: 1.3 GB at 256 x 256. */
  const rrdb = { workingBytesPerPixel: 1.3e9 / 256 ** 2 };

  it('keeps a tile within the memory that 23 blocks take at 256 pixels', () => {
    expect(autoTile(rrdb, 1)).toBe(256);
  });

  it('is smaller where alpha goes through the network beside the colours', () => {
    expect(autoTile(rrdb, 2)).toBe(160);
  });

  it('is as large as a device has memory for, where that is known', () => {
    expect(autoTile(rrdb, 1, 0.6 * 80e9)).toBe(1024);
    expect(autoTile(rrdb, 1, 0.6 * 8e9)).toBe(480); // 4.8 GB are a square of 491
    expect(autoTile(rrdb, 2, 0.6 * 8e9)).toBe(320);
    expect(autoTile(rrdb, 1, 0.5e9)).toBe(128);
  });

  it('stays from 64 to 1024, in steps of 32', () => {
    expect(autoTile({ workingBytesPerPixel: 1e9 }, 1)).toBe(64);
    expect(autoTile({ workingBytesPerPixel: 1 }, 1)).toBe(1024);
    expect(autoTile({ workingBytesPerPixel: 1234 }, 1) % 32).toBe(0);
  });
});

describe('the core that auto stands for where the whole image is best', () => {
  const nafnet = { workingBytesPerPixel: 3072, halo: 64 };

  it('is the whole image as long as that is small enough', () => {
    expect(autoCore(nafnet, { width: 600, height: 600 })).toBe(0);
    expect(autoCore(nafnet, { width: 3000, height: 100 })).toBe(0);
  });

  it('is the whole of a larger image where the device is known to have memory for it', () => {
    expect(autoCore(nafnet, { width: 2000, height: 1500 }, 16e9)).toBe(0);
    expect(autoCore(nafnet, { width: 600, height: 600 }, 0.5e9)).toBe(256);
  });

  it('leaves room for the halo within the same memory, and is a multiple of 32', () => {
    const core = autoCore(nafnet, { width: 2000, height: 1500 });
    expect(core % 32).toBe(0);
    expect((core + 2 * nafnet.halo) ** 2 * nafnet.workingBytesPerPixel).toBeLessThanOrEqual(1.9e9);
    expect((core + 32 + 2 * nafnet.halo) ** 2 * nafnet.workingBytesPerPixel).toBeGreaterThan(1.9e9);
  });

  it('has a window that holds all of a picture of 0.6 megapixels', () => {
    expect(autoWindow(nafnet)).toBe(618_489);
    expect(autoWindow(nafnet, 6e9)).toBe(1_953_125);
  });

  it('counts with what the form for the CPU takes on a CPU, and with that for GPUs elsewhere', () => {
    const twoForms = { ...nafnet, workingBytesPerPixelOnCpu: 2048 };
    expect(autoWindow(networkOn(twoForms, 'cpu'))).toBe(927_734);
    expect(autoWindow(networkOn(twoForms, 'cuda'))).toBe(618_489);
    expect(networkOn(nafnet, 'cpu')).toEqual(nafnet);
  });

  it('is never less than 64', () => {
    expect(autoCore({ workingBytesPerPixel: 1e6, halo: 64 }, { width: 500, height: 500 })).toBe(64);
  });
});

describe('the next smaller tile', () => {
  const ladder = (tile: number, side: number): number[] => {
    const next = smallerTile(tile, side);
    return next === undefined ? [] : [next, ...ladder(next, side)];
  };

  it.each([
    ['of a large whole image', 0, 5000, [400, 200, 100, 64]],
    ['of a tile', 256, 5000, [200, 100, 64]],
    ['of one on the ladder', 200, 5000, [100, 64]],
    ['of an image that is smaller than its tile', 992, 120, [100, 64]],
    ['of a whole image of 64 pixels there is none', 0, 64, []],
    ['of the smallest there is none', 64, 5000, []],
    ['of one below the ladder there is none', 32, 5000, []],
  ] as const)('%s', (_name, tile, side, expected) => {
    expect(ladder(tile, side)).toEqual(expected);
  });
});
