import type { LanczosAnswer, LanczosQuestion } from './lanczos-worker.ts';
import type { Layer, Picture } from './picture.ts';
import { arrivals } from './picture.ts';
import type { Extent } from './transform.ts';

/** What is enlarged at once; of more than a screen can show, only so much as it shows is seen anyway. */
const MAX_PART_PIXELS = 2 ** 23;
const REST_MS = 60;

/** One worker for all; started with the first picture. */
let worker: Worker | undefined;
let lastId = 0;
/** The picture that the worker has. */
let held: ImageBitmap | undefined;

/** A picture at the size of the result it is compared with: LANCZOS where it is looked at, and until that is here as the browser enlarges. */
export class LanczosPicture implements Picture {
  readonly width: number;
  readonly height: number;
  readonly #original: ImageBitmap;
  #part: Layer | undefined;
  #wanted = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param original stays its owner's */
  constructor(original: ImageBitmap, { width, height }: Extent) {
    this.#original = original;
    this.width = width;
    this.height = height;
  }

  layers(): readonly Layer[] {
    const ground = { bitmap: this.#original, source: { x: 0, y: 0, width: this.width, height: this.height } };
    return this.#part ? [ground, this.#part] : [ground];
  }

  want(region: Layer['source']): void {
    const key = `${region.x},${region.y},${region.width},${region.height}`;
    if (key === this.#wanted || region.width * region.height > MAX_PART_PIXELS) return;
    this.#wanted = key;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#enlarge(region), REST_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#part?.bitmap.close();
    this.#part = undefined;
    this.#wanted = 'closed';
    if (held === this.#original) held = undefined;
  }

  async #enlarge(source: Layer['source']): Promise<void> {
    const wanted = this.#wanted;
    const { width, height } = source;
    const pixels = await this.#ask({ whole: { width: this.width, height: this.height }, region: source });
    const bitmap = await createImageBitmap(new ImageData(pixels, width, height));
    if (this.#wanted !== wanted) {
      bitmap.close(); // another part is on its way
      return;
    }
    this.#part?.bitmap.close();
    this.#part = { bitmap, source };
    arrivals.value++;
  }

  async #ask(part: Pick<LanczosQuestion, 'whole' | 'region'>): Promise<LanczosAnswer['pixels']> {
    const own = (worker ??= new Worker(new URL('./lanczos-worker.ts', import.meta.url), { type: 'module' }));
    const id = ++lastId;
    const picture = held === this.#original ? undefined : await createImageBitmap(this.#original);
    held = this.#original;
    return new Promise((resolve) => {
      const take = ({ data }: MessageEvent<LanczosAnswer>): void => {
        if (data.id !== id) return;
        own.removeEventListener('message', take);
        resolve(data.pixels);
      };
      own.addEventListener('message', take);
      own.postMessage({ ...part, id, ...(picture && { picture }) }, picture ? [picture] : []);
    });
  }
}
