import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Request, Response } from 'express';
import type { DecodedFile } from './base64-file.ts';
import { Base64File } from './base64-file.ts';
import type { BodyLimit } from './body.ts';
import { bodyChunks } from './body.ts';
import { BadBodyError, BadFieldError, UnsupportedMediaTypeError } from '../errors.ts';
import { parseJson } from './json-body.ts';
import { LongTextScanner } from './long-text-scanner.ts';
import { standInOf } from './stand-ins.ts';

/** Strings up to this many bytes are values like others; longer ones can only be images. */
const MAX_VALUE = 1024;
/** For everything in the body that is not an image. */
const MAX_REST_BYTES = 2 ** 20;

export interface ImageLimits extends BodyLimit {
  /** Decoded bytes of one image. */
  readonly maxImageBytes: number;
  readonly mostImages: number;
  /** The path of the `index`-th file that is needed. */
  file(index: number): string;
}

/** A JSON body whose images lie in files. */
export class JsonImages {
  /** The body's value; where an image was, there is a text that `image` understands. */
  readonly value: unknown;
  readonly #images: ReadonlyMap<string, DecodedFile>;
  readonly #limits: ImageLimits;
  readonly #files: string[];

  constructor(value: unknown, images: ReadonlyMap<string, DecodedFile>, limits: ImageLimits) {
    this.value = value;
    this.#images = images;
    this.#limits = limits;
    this.#files = [...images.values()].map(({ file }) => file);
  }

  /** The file of an image that stands in `value` as `text`. @throws BadFieldError by the name `field` where it is none */
  async image(field: string, text: string): Promise<DecodedFile> {
    const image = this.#images.get(text) ?? (await this.#decodeShort(text));
    if (!image.isImage) throw new BadFieldError(field, 'must be an image as base64 or as a data URL (base64)');
    return image;
  }

  /** Removes the files but for those that are `kept`. */
  async removeAllBut(kept: readonly string[]): Promise<void> {
    await removeAll(this.#files.filter((file) => !kept.includes(file)));
  }

  async #decodeShort(text: string): Promise<DecodedFile> {
    const file = this.#limits.file(this.#files.length);
    this.#files.push(file);
    const decoder = new Base64File(file, this.#limits.maxImageBytes);
    decoder.add(text);
    return decoder.finish();
  }
}

/**
 * Reads a JSON body and puts the images in it, base64 or data URLs, into files while it comes: neither the body nor an image
 * is ever in memory as a whole.
 * @throws UnsupportedMediaTypeError, BadBodyError, BodyTooLargeError, and then leaves no file
 */
export async function receiveJsonImages(
  request: Request,
  response: Response,
  limits: ImageLimits,
): Promise<JsonImages> {
  if (!request.is('json')) throw new UnsupportedMediaTypeError('application/json', request.headers['content-type']);
  const images = new ImageSink(limits);
  const scanner = new LongTextScanner(images, MAX_VALUE);
  try {
    for await (const chunk of bodyChunks(request, response, limits)) {
      scanner.push(chunk);
      await images.flush();
      if (scanner.restLength > MAX_REST_BYTES) throw new BadBodyError('The body has more than 1 MB beside its images');
    }
    return new JsonImages(parseJson(scanner.finish()), await images.finish(), limits);
  } catch (error) {
    await images.discard();
    throw error;
  }
}

/** Every long text gets a file, and a stand-in that nobody can guess. */
class ImageSink {
  readonly #limits: ImageLimits;
  readonly #nonce = randomBytes(16).toString('hex');
  readonly #paths: string[] = [];
  readonly #decoded: DecodedFile[] = [];
  /** Files that are not finished, the one that is being filled last. */
  readonly #open: Base64File[] = [];

  constructor(limits: ImageLimits) {
    this.#limits = limits;
  }

  begin(): void {
    const { mostImages, maxImageBytes } = this.#limits;
    if (this.#paths.length === mostImages) throw new BadBodyError(`The body has more than ${mostImages} images`);
    const path = this.#limits.file(this.#paths.length);
    this.#paths.push(path);
    this.#open.push(new Base64File(path, maxImageBytes));
  }

  add(text: string): void {
    this.#open.at(-1)?.add(text);
  }

  end(): string {
    return this.#standIn(this.#paths.length - 1);
  }

  async flush(): Promise<void> {
    await this.#finishAllBut(1);
    await this.#open[0]?.flush();
  }

  async finish(): Promise<ReadonlyMap<string, DecodedFile>> {
    await this.#finishAllBut(0);
    return new Map(this.#decoded.map((file, index) => [this.#standIn(index), file]));
  }

  async discard(): Promise<void> {
    await Promise.all(this.#open.map((file) => file.close()));
    await removeAll(this.#paths);
  }

  async #finishAllBut(count: number): Promise<void> {
    while (this.#open.length > count) {
      const [file] = this.#open;
      if (file) this.#decoded.push(await file.finish());
      this.#open.shift();
    }
  }

  #standIn(index: number): string {
    return standInOf(this.#nonce, index);
  }
}

async function removeAll(files: readonly string[]): Promise<void> {
  await Promise.all(files.map((file) => rm(file, { force: true })));
}
