import { fetchBlob } from '../service/connection.ts';
import type { Item } from '../state/queue.ts';
import { StoredZip } from './stored-zip.ts';

const EXTENSIONS: Readonly<Record<string, string>> = { jpeg: 'jpg' };

/** Saves a result under the name of its picture. */
export async function saveResult(item: Item, index: number): Promise<void> {
  const found = await resultOf(item, index);
  if (found) saveAs(found.blob, found.name);
}

/** Saves the results of all items as one ZIP, in the folders that they were dropped with. */
export async function saveAll(items: readonly Item[]): Promise<void> {
  const zip = new StoredZip();
  for (const item of items) {
    for (const { index } of item.job.value?.results ?? []) {
      const found = await resultOf(item, index);
      if (!found) continue;
      const path = item.folder === '' ? found.name : `${item.folder}/${found.name}`;
      await zip.add(path, found.blob);
    }
  }
  saveAs(zip.finish(), 'hiresfix.zip');
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
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
