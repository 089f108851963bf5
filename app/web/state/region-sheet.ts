import type { Signal } from '@preact/signals';
import type { JobState } from '../../client/job-state.ts';
import type { Rectangle } from '../../imaging/rectangle.ts';
import { fetchBlob, wordsOf } from '../service/connection.ts';
import type { Item } from './items.ts';
import { settings } from './settings.ts';

/** A part of a picture by one upscaler, or why there is none. */
export interface SheetTile {
  readonly upscaler: string;
  /** None where it was made before. */
  readonly seconds?: number | undefined;
  readonly url?: string;
  readonly problem?: string;
}

export interface RegionSheetState {
  readonly status: 'idle' | 'running';
  readonly tiles: readonly SheetTile[];
  readonly problem: string;
}

/** Has a part of a picture made by several upscalers, at the size that is chosen. */
export async function compareRegion(
  sheet: Signal<RegionSheetState>,
  { file, name }: Item,
  { x, y, width, height }: Rectangle,
  upscalers: readonly string[],
): Promise<void> {
  if (!file) return;
  forgetSheet(sheet);
  sheet.value = { status: 'running', tiles: [], problem: '' };
  try {
    const body = new FormData();
    const { scale, width: wanted, sizing } = settings.value;
    if (sizing === 'scale') body.append('scale', String(scale));
    else body.append('width', String(wanted));
    body.append('region', `${x},${y},${width},${height}`);
    body.append('upscalers', upscalers.join(','));
    body.append('file', file, name);
    const answer = await fetchBlob('preview', { method: 'POST', body });
    const job = JSON.parse(await answer.text()) as JobState;
    const tiles = await Promise.all(upscalers.map((upscaler, index) => tileOf(job, upscaler, index)));
    sheet.value = { status: 'idle', tiles, problem: '' };
  } catch (error) {
    sheet.value = { status: 'idle', tiles: [], problem: wordsOf(error) };
  }
}

/** Lets go of the pictures of a sheet. */
export function forgetSheet(sheet: Signal<RegionSheetState>): void {
  for (const { url } of sheet.value.tiles) if (url !== undefined) URL.revokeObjectURL(url);
  sheet.value = { status: 'idle', tiles: [], problem: '' };
}

async function tileOf(job: JobState, upscaler: string, index: number): Promise<SheetTile> {
  const result = job.results?.find((one) => one.index === index);
  if (!result) return { upscaler, problem: job.image_states?.[index]?.error ?? 'It failed' };
  const { seconds } = result.info as { readonly seconds?: Readonly<Record<string, number>> };
  const blob = await fetchBlob(`jobs/${job.job_id}/results/${index}`);
  return {
    upscaler,
    url: URL.createObjectURL(blob),
    seconds: seconds?.['cache'] === undefined ? seconds?.['total'] : undefined,
  };
}
