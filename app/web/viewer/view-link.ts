import { signal } from '@preact/signals';
import type { Transform } from './transform.ts';
import { MAX_ZOOM, MIN_ZOOM } from './transform.ts';

/** A place of a job's result. */
interface LinkedView {
  readonly jobId: string;
  readonly at: Transform;
}

/** What the address of the page asks to be shown, until it is. */
export const linkedView = signal<LinkedView | undefined>(viewInHash(location.hash));

/** The part of an address that shows this place of the result of a job, on the same service. */
export function hashOfView(jobId: string, { cx, cy, zoom }: Transform): string {
  const rounded = (value: number): string => String(Number(value.toFixed(2)));
  return `#${new URLSearchParams({ job: jobId, x: rounded(cx), y: rounded(cy), zoom: String(zoom) }).toString()}`;
}

/** The opposite; undefined for any other hash. */
export function viewInHash(hash: string): LinkedView | undefined {
  const asked = new URLSearchParams(hash.slice(1));
  const jobId = asked.get('job');
  const [cx, cy, zoom] = ['x', 'y', 'zoom'].map((name) => Number(asked.get(name) ?? NaN)) as [number, number, number];
  if (jobId === null || !Number.isFinite(cx + cy) || !(zoom >= MIN_ZOOM && zoom <= MAX_ZOOM)) return undefined;
  return { jobId, at: { cx, cy, zoom } };
}
