import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Tells of each connection once: one that is given back after an upgrade is `connection` to Node a second time. */
export function onNewConnection(server: Server, listener: (socket: Socket) => void): void {
  const known = new WeakSet<Socket>();
  server.on('connection', (socket: Socket) => {
    if (known.has(socket)) return;
    known.add(socket);
    listener(socket);
  });
}
