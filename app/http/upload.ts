import busboy from 'busboy';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { HiresFixError } from '../errors.ts';
import { bodyChunks } from './body.ts';
import { BadBodyError, BadFieldError, BodyTooLargeError, UnsupportedMediaTypeError } from './errors.ts';
import type { Parameters } from './fields.ts';
import { Fields, parseParameters } from './fields.ts';

/** Room for the fields and the boundaries of a form, beside its file. */
const FORM_OVERHEAD_BYTES = 2 ** 20;
/** For writing what has been received, once all of it has. */
const LAST_CALL_MS = 5000;
const FORM_LIMITS = { files: 1, fields: 100, fieldSize: 16_384, fieldNameSize: 200 };

/** A file that came with a request, and what the request asks to be done with it. */
export interface Upload<T> extends Parameters<T> {
  readonly file: string;
  /** As the caller named it; not to be used as a path. */
  readonly name: string;
  readonly sha256: string;
}

export interface UploadTarget<S extends z.ZodObject> {
  /** What the other fields of the form, or for a raw body those of the query, are read by. */
  readonly schema: S;
  readonly file: string;
  readonly maxBytes: number;
}

/**
 * Receives one image into `target.file`: the part `file` of a multipart form, or a raw `image/*` body. Whatever goes wrong,
 * an abort in the middle included, leaves no file. Query parameters count as fields; a form's own take precedence.
 */
export async function receiveUpload<S extends z.ZodObject>(
  request: Request,
  response: Response,
  target: UploadTarget<S>,
): Promise<Upload<z.output<S>>> {
  const receive = request.is('multipart/form-data') ? receiveForm : request.is('image/*') ? receiveRaw : undefined;
  if (!receive) {
    const expected = "multipart/form-data with a part 'file', or an image/* body";
    throw new UnsupportedMediaTypeError(expected, request.headers['content-type']);
  }
  try {
    const { name, sha256, fields } = await receive(request, response, target);
    return { file: target.file, name, sha256, ...parseParameters(target.schema, fields.entries()) };
  } catch (error) {
    await rm(target.file, { force: true });
    throw error;
  }
}

interface Received {
  readonly name: string;
  readonly sha256: string;
  readonly fields: Fields;
}

type FileTarget = Pick<UploadTarget<z.ZodObject>, 'file' | 'maxBytes'>;

async function receiveRaw(request: Request, response: Response, target: FileTarget): Promise<Received> {
  const hash = createHash('sha256');
  const body = bodyChunks(request, response, { what: 'The image', maxBytes: target.maxBytes });
  await pipeline(hashed(body, hash), createWriteStream(target.file, { flags: 'wx' }));
  return { name: 'image', sha256: hash.digest('hex'), fields: Fields.ofQuery(request.query) };
}

async function receiveForm(request: Request, response: Response, target: FileTarget): Promise<Received> {
  const form = new FormReceiver(request, target);
  const limit = { what: 'The form', maxBytes: target.maxBytes + FORM_OVERHEAD_BYTES, statedBytes: target.maxBytes };
  await form.receive(bodyChunks(request, response, limit));
  const { name, sha256 } = form.image();
  return { name, sha256, fields: Fields.ofQuery(request.query).overriddenBy(form.fields) };
}

/** One multipart body: the first `file` part goes to the target, text parts into `fields`. */
class FormReceiver {
  readonly fields = new Fields();
  readonly #parser: busboy.Busboy;
  readonly #target: FileTarget;
  #image: { readonly name: string; readonly hash: Hash } | undefined;
  #writing: Promise<void> | undefined;
  #problem: Error | undefined;
  #lastCall: NodeJS.Timeout | undefined;

  constructor(request: Request, target: FileTarget) {
    this.#target = target;
    try {
      this.#parser = busboy({ headers: request.headers, limits: FORM_LIMITS, defParamCharset: 'utf8' });
    } catch (error) {
      throw new BadBodyError('The form cannot be read: its Content-Type names no boundary', { cause: error });
    }
    this.#parser.on('file', (part, stream, { filename }) => this.#onFile(part, stream, filename));
    this.#parser.on('field', (name, value, { nameTruncated, valueTruncated }) => {
      if (nameTruncated || valueTruncated) this.#refuse(new BadFieldError(name, 'is too long for a form field'));
      else this.fields.add(name, value);
    });
    this.#parser.on('filesLimit', () => this.#refuse(new BadFieldError('file', 'expected one file, got several')));
    this.#parser.on('fieldsLimit', () =>
      this.#refuse(new BadBodyError(`The form has more than ${FORM_LIMITS.fields} fields`)),
    );
  }

  async receive(body: AsyncIterable<Buffer>): Promise<void> {
    try {
      await pipeline(this.#untilRefused(body), this.#parser);
    } catch (error) {
      this.#problem ??= bodyProblem(error);
    } finally {
      clearTimeout(this.#lastCall);
    }
    // The parser's end ends the part's stream, well or not; the file is closed before anyone removes it.
    await this.#writing;
    if (this.#problem) throw this.#problem;
  }

  image(): { readonly name: string; readonly sha256: string } {
    if (!this.#image) throw new BadFieldError('file', "expected a part named 'file' with an image, got none");
    return { name: this.#image.name, sha256: this.#image.hash.digest('hex') };
  }

  async *#untilRefused(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of body) {
      if (this.#problem) throw this.#problem;
      yield chunk;
    }
    // busboy waits for ever for the end of a part that begins after the form's own end.
    this.#lastCall = setTimeout(() => this.#parser.destroy(new Error('Unexpected end of form')), LAST_CALL_MS);
  }

  #onFile(part: string, stream: Readable, filename: string | undefined): void {
    if (part !== 'file' && part !== 'files') {
      this.#refuse(new BadFieldError(part.slice(0, 64), "is a file, but the image belongs in the part 'file'"));
    }
    const hash = createHash('sha256');
    this.#image = { name: sentName(filename), hash };
    stream.on('error', () => undefined); // a parser that is destroyed destroys it too; by then nobody else listens
    const sized = limited(stream, this.#target.maxBytes);
    this.#writing = pipeline(hashed(sized, hash), createWriteStream(this.#target.file, { flags: 'wx' })).catch(
      (error: unknown) => {
        this.#refuse(bodyProblem(error));
        stream.resume();
      },
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

/** What busboy says is about the form; what the system says (disk full, connection gone) stays what it is. */
function bodyProblem(error: unknown): Error {
  if (!(error instanceof Error)) return new BadBodyError('The form cannot be read');
  if (error instanceof HiresFixError || 'code' in error) return error;
  return new BadBodyError(`The form cannot be read: ${error.message}`, { cause: error });
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* limited(stream: Readable, maxBytes: number): AsyncGenerator<Buffer, void> {
  let received = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw new BodyTooLargeError('The image', maxBytes);
    yield chunk;
  }
}
