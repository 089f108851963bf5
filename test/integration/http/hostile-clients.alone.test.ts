import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, get, request as clientRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import { openDescriptors } from '../../support/servers/open-descriptors.ts';
import { quantile } from '../../support/servers/open-loop.ts';
import { postHead, rawConnection } from '../../support/servers/raw-http.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import { attackByUpgrade, first } from '../../support/servers/upgrade-attacks.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const [ATTACKER, STRANGER] = ['key-of-an-attacker', 'key-of-a-stranger'];
const ATTACKS = 3000;
const AT_ONCE = 150;
const LONG_JOBS = 6;
/** They wait a few milliseconds where nobody attacks. */
const STRANGERS_MS = 50;
/** A stop that answers nobody has this long. */
const GRACE_MS = 10_000;

describe('a service among hostile clients', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;
  let port: number;

  beforeEach(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, { API_KEY: `${ATTACKER},${STRANGER}` });
    port = Number(new URL(server.url).port);
    await strangersWait();
  });
  afterEach(async () => {
    await server.kill();
    await folder.remove();
  });

  /** How long someone who has nothing to do with it waits for an answer: the median of 21, in ms, each on a new connection. */
  const strangersWait = async (): Promise<number> => {
    const times: number[] = [];
    for (let asked = 0; asked < 21; asked++) {
      const start = performance.now();
      const response = await fetch(`${server.url}/jobs`, {
        headers: { 'X-API-KEY': STRANGER, Connection: 'close' },
      });
      await response.text();
      expect(response.status).toBe(200);
      times.push(performance.now() - start);
    }
    return quantile(times, 0.5);
  };
  const descriptorsLikeBefore = (before: number): Promise<number> =>
    eventually(
      () => Promise.resolve(openDescriptors(server.pid)),
      (now) => now <= before,
    );
  const stopMs = async (): Promise<number> => {
    const start = performance.now();
    expect(await server.stop()).toBe(0);
    return performance.now() - start;
  };

  it('keeps nothing of 3,000 upgrades with bodies, and stops in time', async () => {
    const before = await settled(server.pid);
    for (let at = 0; at < ATTACKS; at += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => attackByUpgrade(port, at + index)));
    }
    expect(await strangersWait()).toBeLessThan(STRANGERS_MS);
    expect(await descriptorsLikeBefore(before)).toBeLessThanOrEqual(before);
    expect(await stopMs()).toBeLessThan(GRACE_MS);
  }, 180_000);

  it('stops in time while upgraded and half-sent requests are open', async () => {
    const heads = [
      postHead('/upscale', 'Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 100000'),
      postHead(
        '/socket.io/?EIO=4&transport=websocket',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Content-Length: 9',
      ),
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '',
        '',
      ].join('\r\n'),
      postHead('/upscale', `X-API-KEY: ${ATTACKER}`, 'Content-Type: image/png', 'Content-Length: 100000'),
    ];
    const sockets = heads.map((head) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(`${head}xxxx`));
      return socket.on('error', () => undefined);
    });
    await sleep(300);
    expect(await stopMs()).toBeLessThan(GRACE_MS);
    sockets.forEach((socket) => socket.destroy());
  }, 60_000);

  it('gives one caller 512 of the 3,000 streams that it asks for, and answers others meanwhile', async () => {
    const before = await settled(server.pid);
    const jobs = await longJobs(server.url);
    const id = jobs.at(-1) ?? '';
    const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
    const statuses: number[] = [];
    const streams: IncomingMessage[] = [];
    const stream = async (): Promise<void> => {
      const headers = { 'X-API-KEY': ATTACKER };
      const request = get(`${server.url}/jobs/${id}/events`, { agent, headers, localAddress: '127.0.0.2' });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.on('error', () => undefined).resume();
      statuses.push(response.statusCode ?? 0);
      streams.push(response);
    };
    for (let at = 0; at < ATTACKS; at += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, stream));
    expect(statuses.filter((status) => status === 200)).toHaveLength(512);
    expect(statuses.filter((status) => status === 429)).toHaveLength(ATTACKS - 512);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    await strangersWait();
    streams.forEach((response) => response.destroy());
    for (const job of jobs.toReversed()) {
      await fetch(`${server.url}/jobs/${job}`, { method: 'DELETE', headers: { 'X-API-KEY': ATTACKER } });
    }
    expect(await strangersWait()).toBeLessThan(STRANGERS_MS);
    expect(await descriptorsLikeBefore(before)).toBeLessThanOrEqual(before);
    expect(await stopMs()).toBeLessThan(GRACE_MS);
  }, 180_000);

  it('answers no name but its own, and to no page but its own, by request or by socket', async () => {
    const before = await settled(server.pid);
    const evil = Array.from({ length: 20 }, (_, index) => `host-${index}.evil.example`);
    const ask = async (path: string, host: string, origin: string): Promise<number> => {
      const headers = { Host: host, Origin: origin, 'X-API-KEY': STRANGER, 'Content-Length': '0' };
      const request = clientRequest(`${server.url}${path}`, { method: 'POST', headers, agent: false }).end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'close');
      return response.statusCode ?? 0;
    };
    for (const name of evil) {
      expect(await ask('/jobs', `${name}:${port}`, `http://${name}:${port}`)).toBe(403);
      expect(await ask('/jobs', `localhost:${port}`, `http://${name}:${port}`)).toBe(403);
      expect(await ask('/socket.io/?EIO=4&transport=polling', `${name}:${port}`, `http://${name}:${port}`)).toBe(400);
      expect(await upgradeStatus(port, name)).toBe('400');
    }
    expect(await upgradeStatus(port, `localhost:${port}`)).toBe('101');
    expect(await strangersWait()).toBeLessThan(STRANGERS_MS);
    expect(await descriptorsLikeBefore(before)).toBeLessThanOrEqual(before);
  }, 60_000);

  it('leaves others a quarter of all connections, however many one address opens', async () => {
    const sockets = Array.from({ length: 2100 }, () =>
      connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => undefined),
    );
    await Promise.all(sockets.map((socket) => first(socket, 'connect')));
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    sockets.forEach((socket) => socket.destroy());
    expect(await strangersWait()).toBeLessThan(STRANGERS_MS);
  }, 60_000);
});

/** Open descriptors once the spare worker has started and the last answers are over. */
async function settled(pid: number): Promise<number> {
  let now = openDescriptors(pid);
  for (let same = 0; same < 5; same++) {
    await sleep(200);
    const next = openDescriptors(pid);
    if (next !== now) same = -1;
    now = next;
  }
  return now;
}

/** What a websocket of this host's own page is answered. */
async function upgradeStatus(port: number, host: string): Promise<string | undefined> {
  const connection = await rawConnection(port);
  connection.write(
    [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `Host: ${host}`,
      `Origin: http://${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '',
      '',
    ].join('\r\n'),
  );
  const head = await connection.until(/\r\n\r\n/);
  connection.destroy();
  return /^HTTP\/1.1 (\d{3})/.exec(head)?.[1];
}

/** Jobs of some seconds each, the last of which waits for longer than the test takes, however slow the machine. */
async function longJobs(url: string): Promise<string[]> {
  const what = 'upscaler=LANCZOS&width=9000&height=9000&output_format=avif&quality=90';
  const headers = { 'X-API-KEY': ATTACKER, 'Content-Type': 'image/png', Prefer: 'respond-async' };
  const ids: string[] = [];
  for (let seed = 0; seed < LONG_JOBS; seed++) {
    const body = new Uint8Array(writePng(noise({ width: 64, height: 64, channels: 3, depth: 8 }, seed)));
    const response = await fetch(`${url}/upscale?${what}`, { method: 'POST', headers, body });
    ids.push(((await response.json()) as { job_id: string }).job_id);
  }
  return ids;
}
