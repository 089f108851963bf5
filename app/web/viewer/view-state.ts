import { computed, signal } from '@preact/signals';
import type { Mode } from './painter.ts';
import { sides } from './sides.ts';
import type { Extent, Point, Transform } from './transform.ts';
import { fitted, zoomedAt } from './transform.ts';

const STORED = 'hiresfix-view';

/** Of the stage's canvas, in device pixels. */
export const stage = signal<Extent>({ width: 1, height: 1 });
export const at = signal<Transform>({ cx: 0, cy: 0, zoom: 1 });
export const mode = signal<Mode>((localStorage.getItem(STORED) as Mode | null) ?? 'slider');
/** Per cent of the width that show the left side. */
export const divider = signal(50);
export const isFlipped = signal(false);
export const enlarging = signal<'smooth' | 'nearest' | 'lanczos'>('smooth');
export const gain = signal(1);

/** In whose pixels everything is counted: the larger of what the sides show. */
export const result = computed<Extent>(() => {
  const shown = [sides.left.picture.value, sides.right.picture.value].filter((one) => one !== undefined);
  return shown.reduce<Extent>((largest, one) => (one.width > largest.width ? one : largest), { width: 1, height: 1 });
});

/** The stage of one side. */
export const sideStage = computed<Extent>(() => {
  const { width, height } = stage.value;
  return mode.value === 'side' ? { width: Math.floor(width / 2), height } : { width, height };
});

/** Chooses how both sides are shown; remembered. */
export function chooseMode(chosen: Mode): void {
  mode.value = chosen;
  localStorage.setItem(STORED, chosen);
}

/** Shows all of the result. */
export function fit(): void {
  at.value = fitted(result.value, sideStage.value);
}

/** Zooms about the middle. */
export function zoomTo(zoom: number): void {
  at.value = zoomedAt(at.value, zoom, { x: 0, y: 0 }, result.value);
}

/** All of it, or 100 % where it was asked for. */
export function toggleFit(place: Point): void {
  const whole = fitted(result.value, sideStage.value);
  if (at.value.zoom === 1 && whole.zoom !== 1) at.value = whole;
  else at.value = zoomedAt(at.value, 1, place, result.value);
}
