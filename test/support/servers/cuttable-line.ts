import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A line to a service that can be cut and mended, under an address that stays. */
export interface CuttableLine {
  readonly url: string;
  cut(): void;
  mend(): Promise<void>;
  close(): void;
}

/** Passes on whatever comes for a service, byte by byte. */
export async function cuttableLine(service: string): Promise<CuttableLine> {
  const { hostname, port: servicePort } = new URL(service);
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(Number(servicePort), hostname);
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  const mend = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  return { url: `http://127.0.0.1:${port}`, cut, mend, close: cut };
}
