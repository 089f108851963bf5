import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { onNewConnection } from './new-connections.ts';

/** The connections of a server, those too that it has given away by an upgrade and no longer knows itself. */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();

  /** @param server not yet listening */
  constructor(server: Server) {
    onNewConnection(server, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
