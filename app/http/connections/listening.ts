import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { AddressUnusableError } from '../errors.ts';

/** Where a service is to listen. */
export interface Addresses {
  readonly host: string;
  readonly port: number;
  /** A second port that is answered as the first is. */
  readonly dashboardPort?: number | undefined;
}

/** Where it does. */
export interface Listening {
  /** Of the first port, such as `http://127.0.0.1:8001`. */
  readonly url: string;
  /** Of the second, where there is one. */
  readonly dashboardUrl: string;
  /** Takes no more connections at the second port; the first is the server's own. */
  close(): Promise<void>;
}

/**
 * Has a server listen, at one port or two. Connections of the second are the server's own: all its limits hold for both together.
 * @throws AddressUnusableError, and then it listens at neither
 */
export async function listen(server: HttpServer, { host, port, dashboardPort }: Addresses): Promise<Listening> {
  await listenAt(server, { host, port, variable: 'PORT' });
  const url = urlOf(server);
  if (dashboardPort === undefined) return { url, dashboardUrl: url, close: () => Promise.resolve() };
  const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
  second.maxConnections = server.maxConnections;
  try {
    await listenAt(second, { host, port: dashboardPort, variable: 'DASHBOARD_PORT' });
  } catch (error) {
    server.close();
    throw error;
  }
  return { url, dashboardUrl: urlOf(second), close: () => closed(second) };
}

async function listenAt(
  server: Server,
  at: { readonly host: string; readonly port: number; readonly variable: 'PORT' | 'DASHBOARD_PORT' },
): Promise<void> {
  try {
    server.listen(at.port, at.host);
    await once(server, 'listening');
  } catch (error) {
    throw new AddressUnusableError(at, error);
  }
}

/** Resolves when its last connection is gone. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
