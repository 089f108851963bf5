import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** A connection to write whatever bytes to, and to read what comes back. */
export interface RawConnection {
  readonly socket: Socket;
  write(data: string | Buffer): void;
  /** What has come so far, once it matches. Rejects when the connection closes before. */
  until(pattern: RegExp): Promise<string>;
  /** Everything that came, when the other side has closed. */
  closed(): Promise<string>;
  destroy(): void;
}

export async function rawConnection(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined); // what matters then is what was received
  await once(socket, 'connect');
  return {
    socket,
    write: (data) => void socket.write(data),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(received)) return;
          socket.off('data', check).off('close', lost);
          resolve(received);
        };
        const lost = (): void => reject(new Error(`closed after ${JSON.stringify(received)}`));
        socket.on('data', check).on('close', lost);
        check();
      }),
    closed: async () => {
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      return received;
    },
    destroy: () => void socket.destroy(),
  };
}

/** The head of a POST; `headers` one a line. */
export function postHead(path: string, ...headers: string[]): string {
  return [`POST ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

/** An answer as it came over a connection, its body put together. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Sends a whole request, which must ask for the connection to be closed, and reads the answer to its end. */
export async function rawAnswer(port: number, request: Buffer): Promise<RawAnswer> {
  const connection = await rawConnection(port);
  connection.write(request);
  const [head = '', body = ''] = (await connection.closed()).split(/\r\n\r\n(.*)/s);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  const bytes = Buffer.from(isChunked ? withoutChunks(body) : body, 'latin1');
  return { status: Number(first.split(' ')[1]), headers, body: bytes };
}

function withoutChunks(text: string): string {
  let whole = '';
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at);
    const length = parseInt(text.slice(at, end), 16);
    if (!(length > 0)) return whole;
    whole += text.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
}
