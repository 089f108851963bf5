import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Under it socket.io answers, upgrades too. */
const SOCKET_PATH = '/socket.io/';
/** Headers that only speak of the upgrade; curl sends the last with `h2c`. */
const UPGRADE_HEADERS = new Set(['upgrade', 'connection', 'http2-settings']);

/**
 * Answers a request that asks for another protocol as if it had not asked: a server may ignore `Upgrade` (RFC 9110, 7.8), and
 * curl's `--http2` and Java's client send it with every first request. Upgrades under `/socket.io/` are left to socket.io.
 *
 * Node hands over the bare socket as soon as anything listens to `upgrade`. It is given back to the server, with the request in
 * front of what has been read of its body, so that all limits of a connection hold for it again.
 */
export function answerUpgradesAsPlainHttp(server: Server): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.url?.startsWith(SOCKET_PATH)) return;
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), head]));
    server.emit('connection', socket);
  });
}

/** The head of a request as it came, byte for byte, but for the upgrade. */
function headWithoutUpgrade({ method, url, httpVersion, rawHeaders, headers }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  const kept = (headers.connection ?? '').split(',').filter((token) => /^\s*(close|keep-alive)\s*$/i.test(token));
  if (kept.length > 0) lines.push(`Connection: ${kept.join(',').trim()}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
