import type { Image } from '../../imaging/image.ts';
import { cropOf } from './calibration-crops.ts';

/** Pixels along a seam over which steps are averaged: a step that changes its sign within less is grain, not a line. */
const RUN = 16;

/**
 * A picture enlarged in four tiles that meet in its middle, each of which sees `halo` pixels beyond.
 * @param picture RGB, 8 bits, of even sides
 */
export async function runInTiles(picture: Image, halo: number, run: (part: Image) => Promise<Image>): Promise<Image> {
  const [across, down] = [picture.width / 2, picture.height / 2];
  const [width, height] = [Math.min(across + halo, picture.width), Math.min(down + halo, picture.height)];
  const tiles: Image[] = [];
  for (const y of [0, picture.height - height]) {
    for (const x of [0, picture.width - width]) tiles.push(await run(cropOf(picture, { x, y, width, height })));
  }
  return joined(tiles, { width, height, across, down });
}

interface Cut {
  readonly width: number;
  readonly height: number;
  readonly across: number;
  readonly down: number;
}

function joined(tiles: readonly Image[], { width, height, across, down }: Cut): Image {
  const scale = (tiles[0]?.width ?? 0) / width;
  const [halfWidth, halfHeight] = [across * scale, down * scale];
  const data = new Uint8Array(4 * halfWidth * halfHeight * 3);
  tiles.forEach((tile, index) => {
    const [right, below] = [index % 2, index >> 1];
    const core = cropOf(tile, {
      x: right * (width * scale - halfWidth),
      y: below * (height * scale - halfHeight),
      width: halfWidth,
      height: halfHeight,
    });
    for (let row = 0; row < halfHeight; row++) {
      const target = ((below * halfHeight + row) * 2 + right) * halfWidth * 3;
      data.set(core.data.subarray(row * halfWidth * 3, (row + 1) * halfWidth * 3), target);
    }
  });
  return { width: 2 * halfWidth, height: 2 * halfHeight, channels: 3, depth: 8, data };
}

/**
 * How much the edges stand out where four tiles meet: the step across the seam that the whole picture does not have there, averaged over
 * short runs along the seam. @returns the root mean square of the runs, in levels
 */
export function seamOf(whole: Image, tiled: Image): number {
  const { width, height } = whole;
  const added = (x: number, y: number): number => {
    const at = (y * width + x) * 3;
    return [0, 1, 2].reduce((sum, c) => sum + (tiled.data[at + c] ?? 0) - (whole.data[at + c] ?? 0), 0) / 3;
  };
  const steps = [
    ...runsOf(height, (y) => added(width / 2, y) - added(width / 2 - 1, y)),
    ...runsOf(width, (x) => added(x, height / 2) - added(x, height / 2 - 1)),
  ];
  return Math.sqrt(steps.reduce((sum, step) => sum + step ** 2, 0) / steps.length);
}

function runsOf(length: number, stepAt: (place: number) => number): number[] {
  return Array.from({ length: Math.max(1, Math.floor(length / RUN)) }, (_, run) => {
    const size = Math.min(RUN, length);
    return (
      Array.from({ length: size }, (_unused, at) => stepAt(run * RUN + at)).reduce((sum, step) => sum + step, 0) / size
    );
  });
}
