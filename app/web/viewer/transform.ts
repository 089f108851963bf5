/** Where a viewer looks: a point of the result in its middle, and device pixels for each pixel of the result. */
export interface Transform {
  readonly cx: number;
  readonly cy: number;
  readonly zoom: number;
}

/** A place, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A size in pixels. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

export const MIN_ZOOM = 0.01;
export const MAX_ZOOM = 32;
/** Nearer than this to a whole number, a zoom is that number: pixels are then exact. */
const SNAP = 0.04;

/** All of the result, as large as there is room for, but not larger than it is. */
export function fitted(result: Extent, stage: Extent): Transform {
  const zoom = Math.min(1, stage.width / result.width, stage.height / result.height);
  return { cx: result.width / 2, cy: result.height / 2, zoom: Math.max(MIN_ZOOM, zoom) };
}

/**
 * Another zoom about a point of the stage, which stays where it is as long as the middle of the stage is over the result.
 * @param place from the stage's middle, in device pixels
 */
export function zoomedAt(at: Transform, zoom: number, { x, y }: Point, result: Extent): Transform {
  const next = snapped(Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, zoom)), at.zoom);
  return within({ cx: at.cx + x / at.zoom - x / next, cy: at.cy + y / at.zoom - y / next, zoom: next }, result);
}

/** Moved by device pixels, as a hand moves paper; the middle of the stage stays over the result. */
export function panned({ cx, cy, zoom }: Transform, byX: number, byY: number, result: Extent): Transform {
  return within({ cx: cx - byX / zoom, cy: cy - byY / zoom, zoom }, result);
}

/** Where the result lies on the stage: its corner on a whole device pixel, so that both sides fall on the same ones. */
export function placed(
  { cx, cy, zoom }: Transform,
  result: Extent,
  stage: Extent,
): Extent & { readonly x: number; readonly y: number } {
  return {
    x: Math.round(stage.width / 2 - cx * zoom),
    y: Math.round(stage.height / 2 - cy * zoom),
    width: result.width * zoom,
    height: result.height * zoom,
  };
}

/** What of the result can be seen, in its own whole pixels; undefined where nothing is. */
export function visible(at: Transform, result: Extent, stage: Extent) {
  const { x, y } = placed(at, result, stage);
  const left = Math.max(0, Math.floor(-x / at.zoom));
  const top = Math.max(0, Math.floor(-y / at.zoom));
  const right = Math.min(result.width, Math.ceil((stage.width - x) / at.zoom));
  const bottom = Math.min(result.height, Math.ceil((stage.height - y) / at.zoom));
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : undefined;
}

function within({ cx, cy, zoom }: Transform, { width, height }: Extent): Transform {
  return { cx: Math.min(width, Math.max(0, cx)), cy: Math.min(height, Math.max(0, cy)), zoom };
}

/** Whole zooms are easy to meet, on the way to them: from 100 % upwards only they are pixel-exact. */
function snapped(zoom: number, before: number): number {
  const whole = Math.round(zoom);
  const isNear = whole >= 1 && Math.abs(zoom / whole - 1) < SNAP;
  return isNear && Math.abs(zoom - whole) < Math.abs(before - whole) ? whole : zoom;
}
