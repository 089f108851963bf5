import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fetchGuarded } from '../../../app/outbound/fetch-guarded.ts';
import { urlProblem } from '../../../app/outbound/public-url.ts';

let server: Server;
let url: string;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer(({ url: path = '' }, response) => {
    asked.push(path);
    if (path === '/picture') response.end(Buffer.alloc(1000, 7));
    else if (path === '/moved') response.writeHead(302, { Location: '/picture' }).end();
    else if (path === '/inwards') response.writeHead(302, { Location: 'http://127.0.0.1/secret' }).end();
    else if (path === '/round') response.writeHead(302, { Location: '/round' }).end();
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** The server of the test counts as one on the internet; every other address is judged as it is. */
const fetched = (path: string, maxBytes = 1000): Promise<Buffer> =>
  fetchGuarded(url + path, {
    maxBytes,
    problemOf: (asked) => (asked.startsWith(`${url}/`) ? undefined : urlProblem(asked)),
  });

it.each(['/picture', '/moved'])('what lies at %s is fetched', async (path) => {
  expect(await fetched(path)).toEqual(Buffer.alloc(1000, 7));
});

it.each([
  ['/none', 'answered 404'],
  ['/inwards', 'must not lead to this machine or into a private network'],
  ['/round', 'leads from one address to another more than 3 times'],
])('what lies at %s is refused in words: %s', async (path, message) => {
  await expect(fetched(path)).rejects.toMatchObject({ name: 'UnfetchableError', message });
});

it('more than is allowed is not read', async () => {
  await expect(fetched('/picture', 999)).rejects.toThrow('has more than 999 bytes (MAX_FILE_SIZE_MB)');
});

it('a name that means this machine is not connected to', async () => {
  const before = asked.length;
  const resolve: NonNullable<Parameters<typeof fetchGuarded>[1]['resolve']> = (_name, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }]);
  await expect(fetchGuarded('http://picture.example/picture', { maxBytes: 1000, resolve })).rejects.toMatchObject({
    code: 'ERR_PRIVATE_ADDRESS',
  });
  expect(asked).toHaveLength(before);
});

it('a server that is not there is told by the code of its fault', async () => {
  const guard = { maxBytes: 1000, problemOf: () => undefined };
  await expect(fetchGuarded('http://127.0.0.1:1/', guard)).rejects.toThrow('does not answer (ECONNREFUSED)');
});
