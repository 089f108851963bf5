import { signal } from '@preact/signals';
import { fetchBlob } from '../service/connection.ts';
import { bitmapOfResult } from '../service/result-bitmap.ts';
import type { Extent } from './transform.ts';

/** Pixels that can be painted: `source` is what of the picture they show. */
export interface Layer {
  readonly bitmap: ImageBitmap;
  readonly source: Extent & { readonly x: number; readonly y: number };
}

/** A picture that is looked at: its size, and what of it is here by now, the coarsest first. */
export interface Picture extends Extent {
  layers(): readonly Layer[];
  /** Says what will be looked at, in pixels of the picture, and by how many device pixels each is shown. */
  want(region: Layer['source'], zoom: number): void;
  close(): void;
}

/** Larger ones are looked at by parts: a hundred megapixels are 400 MB. */
const MAX_WHOLE_PIXELS = 2 ** 24;
const OVERVIEW_WIDTH = 2048;
/** A part is asked for when the hand has rested for so long. */
const REST_MS = 120;

/** Rises whenever more of a picture has come. */
export const arrivals = signal(0);

/** A picture of this browser. @throws where the browser cannot show it */
export async function pictureOfFile(file: Blob, name: string): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (bitmap) return wholePicture(bitmap);
  throw new Error(`This browser cannot show ${name} itself`);
}

/** A result of a job, `path` being where it is: as a whole, or where it is large by parts. */
export async function pictureOfResult(path: string, size: Extent, signal: AbortSignal): Promise<Picture> {
  if (size.width * size.height > MAX_WHOLE_PIXELS) {
    const overview = await createImageBitmap(await fetchBlob(`${path}?width=${OVERVIEW_WIDTH}`, { signal }));
    return new PartedPicture(path, size, overview);
  }
  return wholePicture(await bitmapOfResult(path, size, signal));
}

function wholePicture(bitmap: ImageBitmap): Picture {
  const { width, height } = bitmap;
  const layers = [{ bitmap, source: { x: 0, y: 0, width, height } }];
  return { width, height, layers: () => layers, want: () => undefined, close: () => bitmap.close() };
}

/** An overview of all of it, and over that the part that is looked at, as fine as it is shown. */
class PartedPicture implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #path: string;
  readonly #overview: Layer;
  #part: Layer | undefined;
  #wanted = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading: AbortController | undefined;

  constructor(path: string, { width, height }: Extent, overview: ImageBitmap) {
    this.#path = path;
    this.width = width;
    this.height = height;
    this.#overview = { bitmap: overview, source: { x: 0, y: 0, width, height } };
  }

  layers(): readonly Layer[] {
    return this.#part ? [this.#overview, this.#part] : [this.#overview];
  }

  want(region: Layer['source'], zoom: number): void {
    const width = Math.min(region.width, Math.ceil(region.width * Math.min(1, zoom)));
    const isCoarse = (width / region.width) * this.width <= OVERVIEW_WIDTH;
    const query = `?region=${region.x},${region.y},${region.width},${region.height}&width=${width}`;
    if (isCoarse || query === this.#wanted) return;
    this.#wanted = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#load(query, region), REST_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#loading?.abort();
    this.#part?.bitmap.close();
    this.#overview.bitmap.close();
  }

  async #load(query: string, source: Layer['source']): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    try {
      const bitmap = await createImageBitmap(await fetchBlob(`${this.#path}${query}`, { signal: loading.signal }));
      if (loading.signal.aborted) return;
      this.#part?.bitmap.close();
      this.#part = { bitmap, source };
      arrivals.value++;
    } catch {
      this.#wanted = ''; // asked for again when the hand moves
    }
  }
}
