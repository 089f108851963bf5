import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServiceUnreachableError } from '../../../app/client/errors.ts';
import { ServiceConnection } from '../../../app/client/service-connection.ts';

interface Seen {
  readonly method: string | undefined;
  readonly key: string | undefined;
  readonly body: string;
}

describe('a connection that a service closes while it is taken again', () => {
  let server: Server;
  let connection: ServiceConnection;
  /** Requests that were read to their end, whether they were answered or not. */
  let seen: Seen[];
  /** How many of the next requests are cut instead of answered. */
  let cuts: number;

  beforeEach(async () => {
    [seen, cuts] = [[], 0];
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await text(request);
      seen.push({ method: request.method, key: request.headers['idempotency-key']?.toString(), body });
      if (cuts-- > 0) request.socket.resetAndDestroy();
      else response.end('{}');
    };
    server = createServer((request, response) => void answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    connection = new ServiceConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await (await connection.request('first')).text(); // from here on there is a connection to take again
  });

  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  it('is asked once more, on another one, and a POST has the same key both times', async () => {
    cuts = 1;
    const form = new FormData();
    form.append('files', new Blob(['pixels']), 'a.png');
    expect((await connection.request('jobs', { method: 'POST', body: form })).status).toBe(200);
    const [, cut, again, ...others] = seen;
    expect([cut?.method, again?.method, others]).toEqual(['POST', 'POST', []]);
    expect(cut?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(again?.key).toBe(cut?.key);
    expect(again?.body).toContain('pixels');
    await connection.request('jobs', { method: 'POST', headers: { 'Idempotency-Key': 'own' } });
    await connection.request('jobs', { method: 'POST' });
    expect(seen.at(-2)?.key).toBe('own');
    expect(seen.at(-1)?.key).not.toBe(cut?.key);
  });

  it('is not asked a third time', async () => {
    cuts = 3;
    await expect(connection.request('jobs')).rejects.toThrow(ServiceUnreachableError);
    expect(seen).toHaveLength(3); // with the first one
  });

  it('is not asked again with a stream, which is gone', async () => {
    cuts = 1;
    const body = new Blob(['pixels']).stream();
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    await expect(connection.request('jobs', init)).rejects.toThrow(ServiceUnreachableError);
    expect(seen).toHaveLength(2);
  });
});
