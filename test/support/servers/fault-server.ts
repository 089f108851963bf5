import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A file of any size that is nowhere in memory. */
export interface Content {
  readonly size: number;
  read(start: number, end: number): Buffer;
}

const BLOCK = 64 * 1024;

/** A made-up model file: begins like a zip, every block is different, and two seeds have no block in common. */
export function madeUpModel(size: number, seed = 1): Content {
  const base = Buffer.alloc(BLOCK);
  for (let at = 0; at < BLOCK; at += 32) createHash('sha256').update(`${seed}:${at}`).digest().copy(base, at);
  const block = (index: number) => {
    const bytes = Buffer.from(base);
    bytes.writeDoubleLE(index, 8);
    if (index === 0) bytes.write('PK\x03\x04', 'latin1');
    return bytes;
  };
  const read = (start: number, end: number) => {
    const first = Math.floor(start / BLOCK);
    const last = Math.ceil(end / BLOCK);
    const blocks = Array.from({ length: last - first }, (_, index) => block(first + index));
    return Buffer.concat(blocks).subarray(start - first * BLOCK, end - first * BLOCK);
  };
  return { size, read };
}

export function contentOf(bytes: Buffer | string): Content {
  const buffer = Buffer.from(bytes);
  return { size: buffer.length, read: (start, end) => buffer.subarray(start, end) };
}

export function sha256OfContent(content: Content): string {
  const hash = createHash('sha256');
  for (let at = 0; at < content.size; at += 2 ** 20)
    hash.update(content.read(at, Math.min(content.size, at + 2 ** 20)));
  return hash.digest('hex');
}

/** What a request asked for and got. */
export interface LoggedRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly cookie: string | undefined;
  readonly acceptEncoding: string | undefined;
  status: number;
  /** Body bytes that were written to the connection. */
  sent: number;
}

/** How a path misbehaves; what is not named is done right. Sizes in bytes. */
export interface Faults {
  /** Answers 200 with everything to every request. */
  readonly ignoresRange?: boolean;
  /** From some request on the file is another one. */
  readonly changesAfter?: { readonly requests: number; readonly content: Content; readonly etag: string };
  /** Serves ranges of whatever version it has, whichever the client asks for. */
  readonly ignoresIfRange?: boolean;
  readonly contentRange?: (start: number, end: number, total: number) => string;
  /** Null: none at all. */
  readonly etag?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection after so many bytes of a body. */
  readonly cutAfter?: number;
  /** Stops sending, and says nothing any more. */
  readonly stallAfter?: number;
  /** Answers so many requests with a status first. */
  readonly failFirst?: {
    readonly requests: number;
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Sends fewer bytes than the range that the answer announces, with a matching length; not with the smallest ranges. */
  readonly shortBy?: number;
  /** Sends more bytes than were asked for, with a matching length; and after a whole file of which nobody knows the length. */
  readonly extra?: number;
  /** Says nothing about the length. */
  readonly isChunked?: boolean;
  /** Of one connection. */
  readonly bytesPerSecond?: number;
  /** Bodies go out in pieces of this size, each announced by the `sent` event. */
  readonly pieceSize?: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse, log: LoggedRequest) => Promise<void> | void;

/** A web server on 127.0.0.1 that serves files, badly where it is told to, and counts what it sent. */
export class FaultServer {
  readonly requests: LoggedRequest[] = [];
  readonly #server: Server;
  readonly #handlers = new Map<string, Handler>();
  readonly #sockets = new Set<Socket>();
  readonly #paidUntil = new WeakMap<Socket, number>();
  #onSent: ((total: number) => void) | undefined;
  #sent = 0;
  #active = 0;
  #peak = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(host = '127.0.0.1'): Promise<FaultServer> {
    const server = new FaultServer();
    server.#server.listen(0, host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** Body bytes sent since the start or the last `forget`. */
  get sent(): number {
    return this.#sent;
  }

  /** The most requests that were answered at the same time. */
  get peak(): number {
    return this.#peak;
  }

  forget(): void {
    this.requests.length = 0;
    this.#sent = 0;
    this.#peak = 0;
  }

  /** Calls back whenever bytes went out, with their sum. */
  onSent(listener: (total: number) => void): void {
    this.#onSent = listener;
  }

  handle(path: string, handler: Handler): string {
    this.#handlers.set(path, handler);
    return this.url(path);
  }

  /** Serves a file; returns its URL. */
  serve(path: string, content: Content, faults: Faults = {}): string {
    let count = 0;
    return this.handle(path, async (request, response, log) => {
      count += 1;
      const { failFirst, changesAfter } = faults;
      if (failFirst && count <= failFirst.requests) {
        this.#end(response, log, failFirst.status, failFirst.headers ?? {});
        return;
      }
      const isChanged = changesAfter !== undefined && count > changesAfter.requests;
      const now = isChanged ? { ...faults, etag: changesAfter.etag } : faults;
      await this.#serveFile(isChanged ? changesAfter.content : content, now, { request, response, log });
    });
  }

  redirect(path: string, location: string, status = 302): string {
    return this.handle(path, (_request, response, log) => this.#end(response, log, status, { location }));
  }

  /** Answers with a text, as web pages and error messages do. */
  say(path: string, type: string, text: string, headers: Readonly<Record<string, string>> = {}): string {
    return this.handle(path, (_request, response, log) => {
      log.status = 200;
      response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers });
      response.end(text);
    });
  }

  /** Lets another path's handler answer: for faults that come and go. */
  async answerAs(path: string, request: IncomingMessage, response: ServerResponse, log: LoggedRequest): Promise<void> {
    await this.#handlers.get(path)?.(request, response, log);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const { range, 'if-range': ifRange, cookie, 'accept-encoding': acceptEncoding } = request.headers;
    const log = {
      path,
      range,
      ifRange: ifRange as string | undefined,
      cookie,
      acceptEncoding: String(acceptEncoding),
      status: 0,
      sent: 0,
    };
    this.requests.push(log);
    this.#active += 1;
    this.#peak = Math.max(this.#peak, this.#active);
    response.on('error', () => undefined);
    response.on('close', () => (this.#active -= 1));
    const handler = this.#handlers.get(path) ?? ((_request, answer, entry) => this.#end(answer, entry, 404, {}));
    await handler(request, response, log);
  }

  #end(response: ServerResponse, log: LoggedRequest, status: number, headers: Readonly<Record<string, string>>): void {
    log.status = status;
    response.writeHead(status, { 'content-length': 0, ...headers });
    response.end();
  }

  async #serveFile(
    content: Content,
    faults: Faults,
    { request, response, log }: { request: IncomingMessage; response: ServerResponse; log: LoggedRequest },
  ): Promise<void> {
    const etag = faults.etag === undefined ? '"v1"' : faults.etag;
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const isStale =
      !faults.ignoresIfRange && request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
    const isRanged = asked !== null && !faults.ignoresRange && !isStale;
    const start = isRanged ? Number(asked[1]) : 0;
    const end = isRanged && asked[2] ? Math.min(Number(asked[2]) + 1, content.size) : content.size;
    if (start >= content.size) {
      this.#end(response, log, 416, { 'content-range': `bytes */${content.size}` });
      return;
    }
    const shortBy = end - start > 1000 ? (faults.shortBy ?? 0) : 0;
    const extra = isRanged || faults.isChunked ? (faults.extra ?? 0) : 0;
    const bodyEnd = end - shortBy + extra;
    const contentRange = faults.contentRange?.(start, end, content.size) ?? `bytes ${start}-${end - 1}/${content.size}`;
    log.status = isRanged ? 206 : 200;
    response.writeHead(log.status, {
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      ...(etag !== null && { etag }),
      ...(!faults.isChunked && { 'content-length': bodyEnd - start }),
      ...(isRanged && { 'content-range': contentRange }),
      ...faults.headers,
    });
    response.flushHeaders();
    await this.#send(content, [start, bodyEnd], faults, { response, log });
  }

  async #send(
    content: Content,
    [start, end]: readonly [number, number],
    { cutAfter = Infinity, stallAfter = Infinity, bytesPerSecond, pieceSize = 64 * 1024 }: Faults,
    { response, log }: { response: ServerResponse; log: LoggedRequest },
  ): Promise<void> {
    const size = bytesPerSecond === undefined ? pieceSize : Math.min(pieceSize, Math.ceil(bytesPerSecond / 40));
    for (let at = start; at < end;) {
      const limit = Math.min(end, at + size, start + cutAfter, start + stallAfter);
      if (limit > at) await this.#write(content.read(at, limit), bytesPerSecond, { response, log });
      if (response.destroyed) return;
      at = limit;
      if (at - start >= stallAfter) return;
      if (at - start >= cutAfter) {
        response.destroy();
        return;
      }
    }
    response.end();
  }

  async #write(
    piece: Buffer,
    bytesPerSecond: number | undefined,
    { response, log }: { response: ServerResponse; log: LoggedRequest },
  ): Promise<void> {
    const { socket } = response;
    if (bytesPerSecond !== undefined && socket) {
      const from = Math.max(performance.now(), this.#paidUntil.get(socket) ?? 0);
      this.#paidUntil.set(socket, from + (piece.length / bytesPerSecond) * 1000);
      if (from > performance.now()) await sleep(from - performance.now());
    }
    if (response.destroyed) return;
    log.sent += piece.length;
    this.#sent += piece.length;
    this.#onSent?.(this.#sent);
    if (!response.write(piece)) await drained(response);
  }
}

/** Resolves when more can be written, or when nobody listens any more. */
async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
