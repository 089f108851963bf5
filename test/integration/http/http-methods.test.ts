import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { OPERATIONS } from '../../../app/http/openapi/openapi-paths.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';
import { rawConnection } from '../../support/servers/raw-http.ts';

/** How the WebUI says it. */
const FASTAPI = /\{"detail":"Method Not Allowed"\}/;
/** Of the dashboard, which no operation is. */
const PAGES = ['/', '/restore'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'];

describe('methods', () => {
  let service: HttpService;
  beforeAll(async () => {
    service = await openHttpService(echo, { apiKeyDigests: ['00'.repeat(32)] });
  });
  afterAll(() => service.close());

  const send = async (...lines: string[]): Promise<string> => {
    const connection = await rawConnection(service.port);
    connection.write([...lines, 'Connection: close', '', ''].join('\r\n'));
    return connection.closed();
  };
  const allowOf = (path: string): string => {
    const documented = Object.keys(OPERATIONS[path] ?? {}).map((method) => method.toUpperCase());
    const own = PAGES.includes(path) ? [...documented, 'GET'] : documented;
    return [...own, 'OPTIONS', ...(own.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
  };

  it.each([...Object.keys(OPERATIONS), '/'])(
    'that are not those of %s are a 405 with Allow, also without a key',
    async (path) => {
      const at = path.replace(/\{\w+\}/g, '7');
      const others = METHODS.filter((method) => !allowOf(path).includes(method));
      expect(others.length).toBeGreaterThan(3);
      for (const method of others) {
        const answer = await send(`${method} ${at} HTTP/1.1`, 'Host: localhost');
        expect(answer).toMatch(/^HTTP\/1.1 405 [^]*\r\nContent-Type: application\/(problem\+)?json[;\r]/); // gateways have a body of their own
        expect(/\r\nAllow: (.*)\r\n/.exec(answer)?.[1]).toBe(allowOf(path));
        expect(answer).toMatch(
          path.startsWith('/sdapi') || path.startsWith('/internal') ? FASTAPI : /"code":"ERR_METHOD_NOT_ALLOWED"/,
        );
      }
      const options = await request(service.url).options(at);
      expect([options.status, options.headers['allow'], options.text]).toEqual([204, allowOf(path), '']);
    },
  );

  it('are known at a path in other letters and with a slash at its end, as the route is', async () => {
    for (const path of ['/Health/Live', '/health/live/']) {
      expect((await request(service.url).get(path)).status).toBe(200);
      expect((await request(service.url).delete(path)).status).toBe(405);
    }
  });

  it('of the service as a whole are told by OPTIONS *', async () => {
    expect(await send('OPTIONS * HTTP/1.1', 'Host: localhost')).toMatch(
      /^HTTP\/1.1 204 [^]*\r\nAllow: DELETE, GET, HEAD, OPTIONS, POST\r\n/,
    );
  });

  it('at a path that is not there are as unknown as the path', async () => {
    const answer = await request(service.url).put('/nowhere').set('X-API-KEY', 'wrong');
    expect([answer.status, answer.headers['allow']]).toEqual([401, undefined]);
  });

  it('HEAD answers as GET does, without a body', async () => {
    for (const path of ['/health/live', '/openapi.json', '/docs']) {
      const [head, get] = [await request(service.url).head(path), await request(service.url).get(path)];
      expect(head.status).toBe(200);
      expect(head.text).toBeFalsy();
      for (const name of ['content-type', 'content-length']) expect(head.headers[name]).toBe(get.headers[name]);
    }
  });

  it.each([
    ['no Host', ['GET /health/live HTTP/1.1'], /^HTTP\/1.1 400 [^]*"detail":"The request has no Host header"/],
    ['CONNECT', ['CONNECT example.org:443 HTTP/1.1', 'Host: localhost'], /^HTTP\/1.1 405 [^]*\r\nAllow: DELETE, GET/],
    ['no request at all', ['hello'], /^HTTP\/1.1 400 [^]*"detail":"This is not a request by HTTP\/1.1"/],
  ])('%s is answered by a problem document', async (_what, lines, pattern) => {
    const answer = await send(...lines);
    expect(answer).toMatch(pattern);
    expect(answer).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/);
  });

  it('an expectation that is not known is left unmet', async () => {
    const answer = await send('GET /health/live HTTP/1.1', 'Host: localhost', 'Expect: the-unexpected');
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it('HTTP/1.0 needs no Host', async () => {
    expect(await send('GET /health/live HTTP/1.0')).toMatch(/^HTTP\/1.1 200 /);
  });
});
