import { fetchBlob } from '../service/connection.ts';
import { storeItem } from '../service/stored-items.ts';
import { items, storedOf } from './items.ts';
import { thumbnailOf } from './thumbnail.ts';

/** Originals that this browser cannot show. */
const unseen = new Set<string>();
const lookedAt = new Set<string>();

/** One after another: sixty pictures must not stop the page. */
export async function lookAtPictures(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const item = items.value.find((one) => one.id === id);
    if (!item?.file || item.thumbnail.value !== undefined) continue;
    const seen = await thumbnailOf(item.file);
    if (!items.value.includes(item)) continue; // it was taken out meanwhile, and is not remembered again
    if (!seen) {
      unseen.add(item.id);
      void lookAtResults();
      continue;
    }
    item.size.value = seen.size;
    item.thumbnail.value = URL.createObjectURL(seen.thumbnail);
    await storeItem({ ...storedOf(item), thumbnail: seen.thumbnail });
  }
}

/** Of jobs that came another way, and of originals that this browser cannot show, there is no picture here but their result. */
export async function lookAtResults(): Promise<void> {
  for (const { id, file, thumbnail, job, jobId } of items.value) {
    const [result] = job.value?.results ?? [];
    if ((file && !unseen.has(id)) || thumbnail.value !== undefined || !result || lookedAt.has(id)) continue;
    lookedAt.add(id);
    const path = `jobs/${jobId.value ?? ''}/results/${result.index}?width=128`;
    const small = await fetchBlob(path).catch(() => undefined);
    if (small) thumbnail.value = URL.createObjectURL(small);
  }
}
