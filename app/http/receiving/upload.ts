import { Busboy } from '@fastify/busboy';
import type { BusboyInstance } from '@fastify/busboy';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { HiresFixError } from '../../errors.ts';
import type { JobInput } from '../../jobs/job.ts';
import { IMAGE_PARTS } from '../../options/other-names.ts';
import { bodyChunks } from './body.ts';
import { BadBodyError, BadFieldError, BodyTooLargeError, UnsupportedMediaTypeError } from '../errors.ts';
import { Fields } from '../fields.ts';

/** Room for the fields and the boundaries of a form, beside its file. */
const FORM_OVERHEAD_BYTES = 2 ** 20;
const NAMELESS = "A part of the form has no name; the image belongs in the part 'file'";
const FORM_LIMITS = { fields: 100, fieldSize: 16_384 };
const MAX_NAME_LENGTH = 200;
const PART_NAMES: ReadonlySet<string> = new Set(IMAGE_PARTS);

/** Where images go, and how many may come. */
export interface ImageTarget {
  /** The path of the `index`-th image. */
  readonly file: (index: number) => string;
  /** Of one image. */
  readonly maxBytes: number;
  readonly mostFiles: number;
  /** What is said of files that are none of images. */
  readonly words?: TargetWords;
}

/** What a file is called in messages: `The model`; and its limit. */
export interface TargetWords {
  readonly what: string;
  readonly limit?: string;
}

const IMAGE_WORDS: TargetWords = { what: 'The image' };

/** Images, and the text fields that came with them; the query's among them. */
export interface ReceivedImages {
  readonly images: readonly JobInput[];
  readonly fields: Fields;
}

/**
 * Receives images into files: the parts of a multipart form that are named like an image (`IMAGE_PARTS`), or a raw `image/*`
 * body. Whatever goes wrong, an abort in the middle included, leaves no file. Query parameters count as fields; a form's own take precedence.
 */
export async function receiveImages(
  request: Request,
  response: Response,
  target: ImageTarget,
): Promise<ReceivedImages> {
  const receive = request.is('multipart/form-data') ? receiveForm : request.is('image/*') ? receiveRaw : undefined;
  if (!receive) {
    const expected = "multipart/form-data with a part 'file', or an image/* body";
    throw new UnsupportedMediaTypeError(expected, request.headers['content-type']);
  }
  const begun: string[] = [];
  const file = (index: number): string => {
    const path = target.file(index);
    begun.push(path);
    return path;
  };
  try {
    return await receive(request, response, { ...target, file });
  } catch (error) {
    await Promise.all(begun.map((path) => rm(path, { force: true })));
    throw error;
  }
}

async function receiveRaw(request: Request, response: Response, target: ImageTarget): Promise<ReceivedImages> {
  const hash = createHash('sha256');
  const file = target.file(0);
  const { maxBytes, words = IMAGE_WORDS } = target;
  const body = bodyChunks(request, response, { ...words, maxBytes });
  await writeNew(file, hashed(body, hash));
  return { images: [{ file, name: 'image', sha256: hash.digest('hex') }], fields: Fields.ofQuery(request.query) };
}

async function receiveForm(request: Request, response: Response, target: ImageTarget): Promise<ReceivedImages> {
  const form = new FormReceiver(request, target);
  const statedBytes = target.maxBytes * target.mostFiles;
  await form.receive(
    bodyChunks(request, response, {
      ...target.words,
      what: 'The form',
      maxBytes: statedBytes + FORM_OVERHEAD_BYTES,
      statedBytes,
    }),
  );
  return { images: form.images(), fields: Fields.ofQuery(request.query).overriddenBy(form.fields) };
}

/** One multipart body: its files go to the target, text parts into `fields`. */
class FormReceiver {
  readonly fields = new Fields();
  readonly #parser: BusboyInstance;
  readonly #target: ImageTarget;
  readonly #images: { readonly file: string; readonly name: string; readonly hash: Hash }[] = [];
  readonly #parts: Readable[] = [];
  readonly #writing: Promise<void>[] = [];
  #problem: Error | undefined;

  constructor(request: Request, target: ImageTarget) {
    this.#target = target;
    try {
      const limits = { ...FORM_LIMITS, files: target.mostFiles };
      const type = request.headers['content-type'] ?? '';
      this.#parser = new Busboy({ headers: { ...request.headers, 'content-type': type }, limits });
    } catch (error) {
      throw new BadBodyError('The form cannot be read: its Content-Type names no boundary', { cause: error });
    }
    this.#parser.on('file', (part: string | undefined, stream, filename: string | undefined) =>
      this.#onFile(part, stream, filename),
    );
    this.#parser.on('field', (name: string | undefined, value, _nameTruncated, valueTruncated) =>
      this.#onField(name, value, valueTruncated),
    );
    this.#parser.on('error', (error) => this.#refuse(bodyProblem(error)));
    const expected = target.mostFiles === 1 ? 'one file, got several' : `at most ${target.mostFiles} files, got more`;
    this.#parser.on('filesLimit', () => this.#refuse(new BadFieldError('file', `expected ${expected}`)));
    this.#parser.on('fieldsLimit', () =>
      this.#refuse(new BadBodyError(`The form has more than ${FORM_LIMITS.fields} fields`)),
    );
  }

  async receive(body: AsyncIterable<Buffer>): Promise<void> {
    try {
      await this.#parse(body);
    } catch (error) {
      this.#problem ??= bodyProblem(error);
      for (const part of this.#parts) part.destroy();
    }
    // The part's stream has ended, well or not; the file is closed before anyone removes it.
    await Promise.all(this.#writing);
    if (this.#problem) throw this.#problem;
  }

  images(): JobInput[] {
    if (this.#images.length === 0) {
      throw new BadFieldError('file', "expected a part named 'file' with an image, got none");
    }
    return this.#images.map(({ file, name, hash }) => ({ file, name, sha256: hash.digest('hex') }));
  }

  /** The parser may finish before its body does, where bytes follow the form; `pipeline` would then wait for a second end. */
  async #parse(body: AsyncIterable<Buffer>): Promise<void> {
    const finished = once(this.#parser, 'finish');
    finished.catch(() => undefined); // told below, unless the body fails before the form does
    for await (const chunk of body) {
      if (this.#problem) throw this.#problem;
      if (!this.#parser.write(chunk)) await Promise.race([once(this.#parser, 'drain'), finished]);
    }
    this.#parser.end();
    await finished;
  }

  #onField(name: string | undefined, value: string, isCut: boolean): void {
    if (name === undefined || name === '') this.#refuse(new BadBodyError(NAMELESS));
    else if (isCut || name.length > MAX_NAME_LENGTH) {
      this.#refuse(new BadFieldError(name.slice(0, MAX_NAME_LENGTH), 'is too long for a form field'));
    } else this.fields.add(name, value);
  }

  #onFile(part: string | undefined, stream: Readable, filename: string | undefined): void {
    if (part === undefined || part === '') this.#refuse(new BadBodyError(NAMELESS));
    else if (!PART_NAMES.has(part)) {
      const expected = `is a file, but the image belongs in the part 'file' (or ${IMAGE_PARTS.slice(1).join(', ')})`;
      this.#refuse(new BadFieldError(part.slice(0, 64), expected));
    }
    const hash = createHash('sha256');
    const file = this.#target.file(this.#images.length);
    this.#images.push({ file, name: sentName(filename), hash });
    this.#parts.push(stream);
    stream.on('error', () => undefined); // by the time that a form breaks off, nobody else may listen
    const sized = limited(stream, this.#target);
    this.#writing.push(
      writeNew(file, hashed(sized, hash)).catch((error: unknown) => {
        this.#refuse(bodyProblem(error));
        stream.resume();
      }),
    );
  }

  /** The first problem is the one that is told. */
  #refuse(problem: Error): void {
    this.#problem ??= problem;
  }
}

/** Browsers write quotes and line breaks in a file's name as `%22`, `%0D`, `%0A`, and nothing else. */
function sentName(filename: string | undefined): string {
  return filename?.replace(/%(22|0D|0A)/gi, (escape) => decodeURIComponent(escape)) ?? 'image';
}

/** What the parser says is about the form; what the system says (disk full, connection gone) stays what it is. */
function bodyProblem(error: unknown): Error {
  if (!(error instanceof Error)) return new BadBodyError('The form cannot be read');
  if (error instanceof HiresFixError || 'code' in error) return error;
  return new BadBodyError(`The form cannot be read: ${error.message}`, { cause: error });
}

/** A stream that fails may open its file after all; this promise waits until the file is closed, so that it can be removed. */
function writeNew(file: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  return writeFile(file, chunks, { flag: 'wx' });
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* limited(
  stream: Readable,
  { maxBytes, words = IMAGE_WORDS }: ImageTarget,
): AsyncGenerator<Buffer, void> {
  let received = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw new BodyTooLargeError(words.what, maxBytes, words.limit);
    yield chunk;
  }
}
