import type { Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's parser says, and the status of it; whatever else it says is a 400. */
const STATUS_OF_PARSER: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
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
}

function problemAnswer(status: number): string {
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const problem = { type: 'urn:hiresfix:error:bad-request', title, status, detail: title, code: 'ERR_BAD_REQUEST' };
  const body = JSON.stringify({ ...problem, instance: null });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    'Cache-Control: no-store',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
