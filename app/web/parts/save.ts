import type { JobResultState } from '../../client/job-state.ts';
import { fetchBlob, SERVICE } from '../service/connection.ts';
import { bitmapOfResult } from '../service/result-bitmap.ts';
import type { Item } from '../state/items.ts';

const EXTENSIONS: Readonly<Record<string, string>> = { jpeg: 'jpg' };

/** Saves a result under the name of its picture. */
export async function saveResult(item: Item, index: number): Promise<void> {
  const found = await resultOf(item, index);
  if (found) saveAs(found.blob, found.name);
}

/** A result as a PNG, which is what clipboards take. */
export async function resultAsPng(item: Item, { index, info }: JobResultState): Promise<Blob> {
  const path = `jobs/${item.jobId.value ?? ''}/results/${index}`;
  if (info.format === 'png') return fetchBlob(path);
  const bitmap = await bitmapOfResult(path, info.output);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/png' });
}

/** Saves the results of all items as one ZIP, in the folders that they were dropped with. The service writes it while it is saved. */
export async function saveAll(items: readonly Item[]): Promise<void> {
  const jobs = items.flatMap(({ jobId, folder }) =>
    jobId.value === undefined ? [] : [{ job_id: jobId.value, folder }],
  );
  const body = new Blob([JSON.stringify({ jobs })], { type: 'application/json' });
  const answer = await fetchBlob('archives', { method: 'POST', body });
  const { url } = JSON.parse(await answer.text()) as { readonly url: string };
  save(new URL(url.replace(/^\//, ''), SERVICE).href, 'hiresfix.zip');
}

/** Saves what the comparison shows, as it shows it. */
export async function saveView(stage: HTMLCanvasElement): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => stage.toBlob(resolve, 'image/png'));
  if (blob) saveAs(blob, 'comparison.png');
}

async function resultOf(
  item: Item,
  index: number,
): Promise<{ readonly blob: Blob; readonly name: string } | undefined> {
  const job = item.job.value;
  const result = job?.results?.find((one) => one.index === index);
  if (!job || !result) return undefined;
  const blob = await fetchBlob(`jobs/${job.job_id}/results/${index}`);
  const base = result.original_filename.replace(/\.[^.]*$/, '');
  const suffix = job.method === 'upscale' || job.method === 'enhance' ? 'upscaled' : 'restored';
  const { format } = result.info;
  return { blob, name: `${base}_${suffix}.${EXTENSIONS[format] ?? format}` };
}

function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
