import type { Channels, Image, Samples } from '../../image.ts';
import { allocateSamples, hasAlpha, maxSample } from '../../image.ts';
import { decodePixels } from '../codec-decode.ts';
import { makePngChunk } from '../png-chunks.ts';
import type { Apng, ApngFrame } from './read-apng.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Draws the frames of a PNG that moves, one on another as each of them says. */
export class ApngCanvas {
  readonly #apng: Apng;
  readonly #limits: { readonly name: string; readonly maxPixels: number };

  constructor(apng: Apng, limits: { readonly name: string; readonly maxPixels: number }) {
    this.#apng = apng;
    this.#limits = limits;
  }

  /** @throws BadImageError at a frame that cannot be decoded */
  async *frames(): AsyncGenerator<Image> {
    let canvas: Image | undefined;
    for (const [index, frame] of this.#apng.frames.entries()) {
      const drawn = await this.#decode(frame);
      canvas ??= emptyCanvas(this.#apng, drawn);
      const before = canvas.data;
      const data = before.slice();
      draw(drawn, frame, { ...canvas, data });
      yield { ...canvas, data };
      // "Restore" of the first frame has nothing to restore, and clears.
      const isCleared = frame.dispose === 'clear' || (frame.dispose === 'restore' && index === 0);
      canvas = { ...canvas, data: frame.dispose === 'restore' && index > 0 ? before : data.slice() };
      if (isCleared) clear(canvas, frame);
    }
  }

  async #decode(frame: ApngFrame): Promise<Image> {
    const { header, shared } = this.#apng;
    const size = Buffer.from(header);
    size.writeUInt32BE(frame.width, 0);
    size.writeUInt32BE(frame.height, 4);
    const chunks = [makePngChunk('IHDR', size), ...shared, makePngChunk('IDAT', Buffer.concat(frame.parts))];
    const bytes = Buffer.concat([SIGNATURE, ...chunks, makePngChunk('IEND', new Uint8Array(0))]);
    return (await decodePixels({ bytes, format: 'png', ...this.#limits })).image;
  }
}

function emptyCanvas({ width, height }: Apng, { channels, depth }: Image): Image {
  const all = (hasAlpha(channels) ? channels : channels + 1) as Channels;
  return { width, height, channels: all, depth, data: allocateSamples(depth, width * height * all) };
}

function clear({ width, channels, data }: Image, frame: ApngFrame): void {
  for (let y = frame.y; y < frame.y + frame.height; y++) {
    data.fill(0, (y * width + frame.x) * channels, (y * width + frame.x + frame.width) * channels);
  }
}

function draw(drawn: Image, frame: ApngFrame, canvas: Image): void {
  const full = maxSample(canvas.depth);
  const colors = canvas.channels - 1;
  for (let pixel = 0; pixel < drawn.width * drawn.height; pixel++) {
    const [x, y] = [frame.x + (pixel % drawn.width), frame.y + Math.trunc(pixel / drawn.width)];
    const to = (y * canvas.width + x) * canvas.channels;
    const from = pixel * drawn.channels;
    const alpha = hasAlpha(drawn.channels) ? (drawn.data[from + colors] ?? 0) : full;
    const under = canvas.data[to + colors] ?? 0;
    if (!frame.isOver || alpha === full || under === 0) {
      for (let c = 0; c < colors; c++) canvas.data[to + c] = drawn.data[from + c] ?? 0;
      canvas.data[to + colors] = alpha;
    } else if (alpha > 0) {
      layOver(canvas.data, to, drawn.data.subarray(from, from + colors), { alpha, under, full });
    }
  }
}

/** "Over" of colours that are not multiplied by their alpha. */
function layOver(
  canvas: Samples,
  to: number,
  colors: Samples,
  { alpha, under, full }: { readonly alpha: number; readonly under: number; readonly full: number },
): void {
  const [share, rest] = [alpha * full, (full - alpha) * under];
  for (const [c, color] of colors.entries()) {
    canvas[to + c] = Math.round((color * share + (canvas[to + c] ?? 0) * rest) / (share + rest));
  }
  canvas[to + colors.length] = Math.round((share + rest) / full);
}
