import { createReadStream } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Config } from '../../config.ts';
import { StoreUnavailableError } from '../errors.ts';
import { sha256OfFile } from '../../files/file-hash.ts';

const TIMEOUTS = { connectionTimeout: 3000, socketTimeout: 30_000 };
/** The most that one request may list or remove. */
const PAGE = 1000;
/** The client library would write about steps that are tried again on the console. */
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** How long is waited before the second and later tries of one step. */
export type Patience = readonly number[];

/** While a request waits for its answer. */
export const BRIEFLY: Patience = [200, 800];
/** While a job runs that would fail otherwise. */
export const PATIENTLY: Patience = [500, 2000, 5000, 15_000, 30_000, 60_000];

/** A file, and the SHA-256 of what is in it. */
export interface DigestedFile {
  readonly file: string;
  readonly sha256: string;
}

/**
 * Files in a bucket of an S3-compatible store. An object is there whole or not at all. All methods throw `StoreUnavailableError`,
 * whose cause is told in words alone: the errors of the client library may carry keys.
 */
export class ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #page: number;

  /** @param page objects that one request lists or removes at most */
  constructor({ bucket, prefix, endpoint, region, credentials }: NonNullable<Config['storage']>, page = PAGE) {
    this.#page = page;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#client = new S3Client({
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && { credentials }),
      forcePathStyle: true, // a bucket need not be a host name
      requestHandler: TIMEOUTS,
      logger: SILENT,
      // Checksums that not every store knows are sent only where they are ours.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /** Whether the bucket can be used. */
  async check(): Promise<void> {
    await this.#trying(BRIEFLY, () => this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket })));
  }

  async put(key: string, { file, sha256 }: DigestedFile, patience: Patience): Promise<void> {
    const { size } = await stat(file);
    await this.#trying(patience, () => {
      const body = createReadStream(file);
      const checksum = Buffer.from(sha256, 'hex').toString('base64');
      return this.#client.send(
        new PutObjectCommand({ ...this.#at(key), Body: body, ContentLength: size, ChecksumSHA256: checksum }),
      );
    });
  }

  /** What is at `file` is whole at any time, and what its digest says. */
  async get(key: string, { file, sha256 }: DigestedFile, patience: Patience): Promise<void> {
    const partial = `${file}.${process.pid}.part`;
    try {
      await this.#trying(patience, async () => {
        const { Body: body } = await this.#client.send(new GetObjectCommand(this.#at(key)));
        await writeFile(partial, body as Readable);
        if ((await sha256OfFile(partial)) !== sha256) throw new Error(`${key} is not what was stored`);
      });
      await rename(partial, file);
    } finally {
      await rm(partial, { force: true });
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += this.#page) {
      const objects = keys.slice(start, start + this.#page).map((key) => ({ Key: this.#prefix + key }));
      await this.#trying(BRIEFLY, async () => {
        const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects: objects, Quiet: true } });
        const { Errors: [error] = [] } = await this.#client.send(command);
        if (error) throw new Error(`${error.Key ?? ''} cannot be removed: ${error.Message ?? ''}`);
      });
    }
  }

  async list(under: string): Promise<readonly { readonly key: string; readonly modifiedMs: number }[]> {
    const found: { key: string; modifiedMs: number }[] = [];
    for (let isMore = true, after = ''; isMore;) {
      const where = { Bucket: this.#bucket, Prefix: this.#prefix + under, MaxKeys: this.#page };
      const command = new ListObjectsV2Command({ ...where, ...(after !== '' && { StartAfter: after }) });
      const page = await this.#trying(BRIEFLY, () => this.#client.send(command));
      for (const { Key: key = '', LastModified: modified } of page.Contents ?? []) {
        found.push({ key: key.slice(this.#prefix.length), modifiedMs: modified?.getTime() ?? Infinity });
        after = key;
      }
      isMore = page.IsTruncated === true;
    }
    return found;
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  /** A body that was read cannot be sent again by the client library: steps are tried anew from here. */
  async #trying<T>(patience: Patience, step: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await step();
      } catch (error) {
        const pause = patience[tries];
        if (pause === undefined || isFinal(error)) throw unavailable(error);
        // A long wait does not keep a process that has nothing else to do; a short one, as before a server starts, has to end in words.
        await sleep(pause, undefined, { ref: patience === BRIEFLY });
      }
    }
  }
}

/** Whether the store has answered that it will not, now or later. */
function isFinal(error: unknown): boolean {
  const { $metadata: { httpStatusCode: status = 0 } = {} } = error as { $metadata?: { httpStatusCode?: number } };
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function unavailable(error: unknown): StoreUnavailableError {
  const { name = 'Error', message = '', code = name } = error as Partial<NodeJS.ErrnoException>;
  const why = name === 'CredentialsProviderError' ? 'no key: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY' : code;
  return new StoreUnavailableError(new Error(`${name}: ${message}`), { reason: `the storage cannot be used (${why})` });
}

function quiet(): void {
  // Errors are thrown, and told by whoever catches them.
}
