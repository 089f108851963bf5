import type { Image, Samples } from './image.ts';
import { hasAlpha, maxSample } from './image.ts';
import type { RowSink } from './rows.ts';

/**
 * The colour of a picture that shows but one, whatever is hidden where alpha is 0: a glyph, an icon, a silhouette.
 * @returns its samples but for alpha; undefined for a picture of several colours, of none, or without transparency
 */
export function onlyVisibleColor({ data, channels, depth }: Image): Samples | undefined {
  if (!hasAlpha(channels)) return undefined;
  const full = maxSample(depth);
  let first = -1;
  let isTransparent = false;
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1];
    isTransparent ||= alpha !== full;
    if (alpha === 0) continue;
    if (first < 0) first = at;
    for (let c = 0; c < channels - 1; c++) if (data[at + c] !== data[first + c]) return undefined;
  }
  return isTransparent && first >= 0 ? data.slice(first, first + channels - 1) : undefined;
}

/**
 * Takes rows for `sink` with every pixel in one colour; alpha stays. Networks give a flat colour another tint, some by ten levels of 255.
 * @param color its samples but for alpha, as many as the sink's
 */
export function inOneColor(sink: RowSink, color: Samples): RowSink {
  const { width, height, channels, depth } = sink;
  const writeRows = (rows: Samples): void => {
    const written = rows.slice();
    for (let at = 0; at < written.length; at += channels) written.set(color, at);
    sink.writeRows(written);
  };
  return { width, height, channels, depth, writeRows };
}
