import type { Signal } from '@preact/signals';
import type { JSX, TargetedPointerEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Rectangle } from '../../imaging/rectangle.ts';
import type { Size } from '../state/estimate.ts';
import type { Item } from '../state/items.ts';

const MAX_SIDE = 320;
const MIN_REGION = 16;
/** More would take a network long on a CPU. */
const MAX_REGION = 256;

interface BoxProps {
  readonly item: Item;
  readonly size: Size;
  readonly region: Signal<Rectangle>;
}

/** The picture, and on it the part that is tried: drawn by hand, moved by the arrow keys. */
export function RegionBox({ item, size, region }: BoxProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const from = useRef<{ readonly x: number; readonly y: number }>(undefined);
  const factor = Math.min(1, MAX_SIDE / Math.max(size.width, size.height));
  const [width, height] = [Math.round(size.width * factor), Math.round(size.height * factor)];
  useEffect(() => {
    if (item.file) void paint(canvas.current, item.file, { width, height });
  }, [item.id]);
  const point = (event: TargetedPointerEvent<HTMLElement>) => ({
    x: Math.min(size.width, Math.max(0, Math.round(event.offsetX / factor))),
    y: Math.min(size.height, Math.max(0, Math.round(event.offsetY / factor))),
  });
  const draw = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (from.current) region.value = between(from.current, point(event), size);
  };
  const { x, y, width: wide, height: high } = region.value;
  const box = {
    left: `${x * factor}px`,
    top: `${y * factor}px`,
    width: `${wide * factor}px`,
    height: `${high * factor}px`,
  };
  return (
    <div
      class="region"
      style={{ width: `${width}px`, height: `${height}px` }}
      tabIndex={0}
      role="group"
      aria-label={`Part of the picture: ${wide} × ${high} pixels at ${x}, ${y}. Arrow keys move it`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = point(event);
      }}
      onPointerMove={draw}
      onPointerUp={() => (from.current = undefined)}
      onPointerCancel={() => (from.current = undefined)}
      onKeyDown={(event) => {
        const moved = movedBy(event.key, region.value, size);
        if (!moved) return;
        event.preventDefault();
        region.value = moved;
      }}
    >
      <canvas ref={canvas} width={width} height={height} />
      <div class="box" style={box} />
    </div>
  );
}

async function paint(canvas: HTMLCanvasElement | null, file: Blob, { width, height }: Size): Promise<void> {
  const bitmap = await createImageBitmap(file, { resizeWidth: width, resizeHeight: height, resizeQuality: 'medium' });
  canvas?.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
}

function between(
  a: { readonly x: number; readonly y: number },
  b: { readonly x: number; readonly y: number },
  size: Size,
) {
  const across = side(a.x, b.x, size.width);
  const down = side(a.y, b.y, size.height);
  return { x: across.start, y: down.start, width: across.length, height: down.length };
}

function side(a: number, b: number, size: number): { readonly start: number; readonly length: number } {
  const length = Math.min(size, Math.max(MIN_REGION, Math.min(MAX_REGION, Math.abs(b - a))));
  return { start: Math.max(0, Math.min(b < a ? a - length : a, size - length)), length };
}

function movedBy(key: string, region: Rectangle, size: Size): Rectangle | undefined {
  const step = 8;
  const moves: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-step, 0],
    ArrowRight: [step, 0],
    ArrowUp: [0, -step],
    ArrowDown: [0, step],
  };
  const move = moves[key];
  if (!move) return undefined;
  const within = (start: number, length: number, whole: number): number => Math.max(0, Math.min(start, whole - length));
  return {
    ...region,
    x: within(region.x + move[0], region.width, size.width),
    y: within(region.y + move[1], region.height, size.height),
  };
}
