import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a proxy does with an event stream: passes it on, refuses it, or cuts it off after its first bytes, the first time or always. */
export type StreamFault = 'none' | 'refused' | 'cut once' | 'cut always';

/** A proxy in front of a service, on a port of its own. */
export interface EventsProxy {
  readonly url: string;
  /** Requests so far: method and path, ids of jobs as `*`. */
  readonly requests: readonly string[];
  close(): void;
}

/** Starts a proxy that passes everything on but event streams, which suffer `fault`. */
export async function eventsProxy(service: string, fault: StreamFault): Promise<EventsProxy> {
  const requests: string[] = [];
  let streams = 0;
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${(incoming.url ?? '').replace(/[0-9a-f]{32}/, '*')}`);
    const isStream = incoming.url?.endsWith('/events') === true;
    if (isStream) streams++;
    if (isStream && fault === 'refused') {
      response.writeHead(502).end('no streams here');
      return;
    }
    const isCut = isStream && (fault === 'cut always' || (fault === 'cut once' && streams === 1));
    forward(service, incoming, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (isCut) answer.once('data', (bytes) => response.write(bytes, () => response.destroy()));
      else answer.pipe(response);
      response.once('close', () => answer.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Asks a service what a proxy was asked. */
export function forward(service: string, incoming: IncomingMessage, onAnswer: (answer: IncomingMessage) => void): void {
  const { method, headers, url = '/' } = incoming;
  const { hostname, port, host } = new URL(service);
  const outgoing = request({ hostname, port, path: url, method, headers: { ...headers, host } }, onAnswer);
  outgoing.on('error', () => incoming.destroy());
  incoming.pipe(outgoing);
}
