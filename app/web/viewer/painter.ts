import type { Picture } from './picture.ts';
import type { Extent, Transform } from './transform.ts';
import { placed } from './transform.ts';

export type Mode = 'slider' | 'side' | 'difference';

/** What is painted, and how. */
export interface Scene {
  readonly left: Picture | undefined;
  readonly right: Picture | undefined;
  /** In whose pixels everything is counted: the larger of the two. */
  readonly result: Extent;
  readonly at: Transform;
  readonly mode: Mode;
  /** How far from the left the slider is, 0..1. */
  readonly divider: number;
  /** While the left side alone is to be seen. */
  readonly isFlipped: boolean;
  /** How a side that is smaller than the result is enlarged. */
  readonly enlarging: 'smooth' | 'nearest';
  /** By how much differences are made stronger: 1, 4 or 16. */
  readonly gain: number;
  /** Rises when more of a picture has come, and it is to be painted again. */
  readonly arrivals: number;
}

/**
 * Paints both sides with one transform. A side is drawn by the same calls wherever it lies, so that the same picture on both sides has
 * no difference at any zoom.
 */
export class Painter {
  readonly #canvas: HTMLCanvasElement;
  readonly #sides = [new OffscreenCanvas(1, 1), new OffscreenCanvas(1, 1)] as const;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  paint(scene: Scene): void {
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    context.globalCompositeOperation = 'source-over';
    context.clearRect(0, 0, width, height);
    const stage = scene.mode === 'side' ? { width: Math.floor(width / 2), height } : { width, height };
    const ground = scene.mode === 'difference' ? '#000' : undefined;
    const [left, right] = [
      this.#side(0, scene.left, scene, { stage, ground }),
      this.#side(1, scene.right, scene, { stage, ground }),
    ];
    if (scene.isFlipped) context.drawImage(left, 0, 0);
    else if (scene.mode === 'side') paintPair(context, left, right, width - stage.width);
    else if (scene.mode === 'difference') paintDifference(context, { left, right, gain: scene.gain });
    else paintSlid(context, left, right, Math.round(scene.divider * width));
  }

  #side(
    index: 0 | 1,
    picture: Picture | undefined,
    scene: Scene,
    { stage, ground }: { readonly stage: Extent; readonly ground: string | undefined },
  ): OffscreenCanvas {
    const canvas = this.#sides[index];
    if (canvas.width !== stage.width || canvas.height !== stage.height) {
      canvas.width = Math.max(1, stage.width);
      canvas.height = Math.max(1, stage.height);
    }
    const context = canvas.getContext('2d');
    if (!context) return canvas;
    context.clearRect(0, 0, stage.width, stage.height);
    if (ground !== undefined) {
      context.fillStyle = ground;
      context.fillRect(0, 0, stage.width, stage.height);
    }
    if (picture) paintPicture(context, picture, scene, stage);
    return canvas;
  }
}

function paintPicture(
  context: OffscreenCanvasRenderingContext2D,
  picture: Picture,
  { result, at, enlarging }: Scene,
  stage: Extent,
): void {
  const box = placed(at, result, stage);
  const across = box.width / picture.width;
  const down = box.height / picture.height;
  const isEnlarged = result.width > picture.width;
  context.imageSmoothingQuality = 'high';
  for (const { bitmap, source } of picture.layers()) {
    if (bitmap.width === 0) continue; // it was closed since this frame was asked for
    // From 100 % of the result on its pixels are shown as they are; a smaller picture is enlarged as was chosen.
    const isCoarse = bitmap.width < source.width; // stands for what is not here yet
    context.imageSmoothingEnabled = isEnlarged ? enlarging === 'smooth' : isCoarse || at.zoom < 1;
    const [x, y] = [box.x + source.x * across, box.y + source.y * down];
    context.drawImage(bitmap, x, y, source.width * across, source.height * down);
  }
}

type Context = CanvasRenderingContext2D;

function paintSlid(context: Context, left: OffscreenCanvas, right: OffscreenCanvas, divider: number): void {
  const { width, height } = left;
  if (divider > 0) context.drawImage(left, 0, 0, divider, height, 0, 0, divider, height);
  const rest = width - divider;
  if (rest > 0) context.drawImage(right, divider, 0, rest, height, divider, 0, rest, height);
}

function paintPair(context: Context, left: OffscreenCanvas, right: OffscreenCanvas, from: number): void {
  context.drawImage(left, 0, 0);
  context.drawImage(right, from, 0);
}

function paintDifference(
  context: Context,
  { left, right, gain }: { readonly left: OffscreenCanvas; readonly right: OffscreenCanvas; readonly gain: number },
): void {
  context.drawImage(left, 0, 0);
  context.globalCompositeOperation = 'difference';
  context.drawImage(right, 0, 0);
  context.globalCompositeOperation = 'lighter';
  for (let doubled = 1; doubled < gain; doubled *= 2) context.drawImage(context.canvas, 0, 0);
  context.globalCompositeOperation = 'source-over';
}
