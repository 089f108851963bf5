import type { Server } from 'node:http';
import type { OpenSockets } from './open-sockets.ts';

/** What answers in flight get to finish. */
const MAX_ANSWER_MS = 5000;
const IDLE_CHECK_MS = 100;

/** What is closed, and which connections are then left. */
export interface Closing {
  readonly server: Server;
  readonly sockets: OpenSockets;
  /** Closes whatever listens, the server with it. */
  readonly close: () => Promise<void>;
}

/**
 * Finishes answers in flight, and closes a kept connection as soon as it idles. After five seconds every connection is cut,
 * whatever its client does with it.
 */
export async function closeServer({ server, sockets, close }: Closing): Promise<void> {
  const closed = close();
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cut = setTimeout(() => sockets.destroyAll(), MAX_ANSWER_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
