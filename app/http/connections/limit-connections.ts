import type { Server } from 'node:http';
import { Shares } from '../../access/shares.ts';
import { onNewConnection } from './new-connections.ts';

/** Open at once. */
const MAX_CONNECTIONS = 2048;
/** Of one address, which may be a proxy's: what others always find free is the rest. */
const MAX_CONNECTIONS_PER_ADDRESS = 1536;

/** Bounds the connections of a server, and keeps one address from having them all. What is too many is closed unanswered. */
export function limitConnections(server: Server): void {
  server.maxConnections = MAX_CONNECTIONS;
  const shares = new Shares(MAX_CONNECTIONS_PER_ADDRESS);
  onNewConnection(server, (socket) => {
    const giveBack = shares.take(socket.remoteAddress ?? '');
    if (giveBack) socket.once('close', giveBack);
    else socket.destroy();
  });
}
