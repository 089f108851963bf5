import type { Server } from 'node:http';
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What Node's parser says, and the status of it; whatever else it says is a 400. */
const STATUS_OF_PARSER: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** What is wrong, in words, where the status says little. */
const DETAIL_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'This is not a request by HTTP/1.1',
  405: 'This is no proxy',
  408: 'The request did not come to an end in time',
  431: `The header of the request is longer than ${maxHeaderSize} bytes; cookies of other services on this host may be in it`,
};

/** Answers what cannot be read as a request with a problem document too, and closes the connection. */
export function answerUnreadableRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isAnswered = socket.bytesWritten > 0; // a second answer in the middle of the first would be taken for a part of it
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswered) {
      socket.destroy();
      return;
    }
    const status = STATUS_OF_PARSER[error.code ?? ''] ?? 400;
    socket.end(problemAnswer(status), () => socket.destroy());
  });
  server.on('connect', (_request, socket: Duplex) => {
    socket.end(problemAnswer(405, 'Allow: DELETE, GET, HEAD, OPTIONS, POST'), () => socket.destroy());
  });
}

function problemAnswer(status: number, ...headers: readonly string[]): string {
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const [name, code] =
    status === 405 ? ['method-not-allowed', 'ERR_METHOD_NOT_ALLOWED'] : ['bad-request', 'ERR_BAD_REQUEST'];
  const detail = DETAIL_OF_STATUS[status] ?? title;
  const body = JSON.stringify({ type: `urn:hiresfix:error:${name}`, title, status, detail, code });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    ...headers,
    'Content-Type: application/problem+json',
    'Cache-Control: no-store',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
