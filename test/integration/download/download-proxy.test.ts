import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256OfFile } from '../../../app/files/file-hash.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { bundleDownloadChild, DownloadProcess } from '../../support/servers/download-process.ts';
import { FaultServer, madeUpModel, sha256OfContent } from '../../support/servers/fault-server.ts';

const CONTENT = madeUpModel(3_000_000);
const SHA256 = sha256OfContent(CONTENT);

const directory = mkdtempSync(join(tmpdir(), 'hiresfix-proxy-'));
const certificate = makeCertificate(directory);

let origin: FaultServer;
let proxy: Proxy;
let program: string;

beforeAll(async () => {
  origin = await FaultServer.start();
  origin.serve('/model.pth', CONTENT);
  proxy = await Proxy.start();
  program = await bundleDownloadChild(directory);
});
afterAll(async () => {
  await origin.close();
  proxy.close();
  rmSync(directory, { recursive: true });
});

async function download(url: string, filename: string, environment: Readonly<Record<string, string>>) {
  const rest = { mirrors: [], scale: 4, licence: 'none', purpose: 'tests', source: 'tests' };
  const model: RemoteModel = { name: 'test', filename, url, size: CONTENT.size, sha256: SHA256, ...rest };
  proxy.seen.length = 0;
  const plain = { http_proxy: '', https_proxy: '', no_proxy: '', HTTP_PROXY: '', HTTPS_PROXY: '', NO_PROXY: '' };
  const result = await new DownloadProcess(
    program,
    { options: { directory }, model },
    { ...plain, ...environment },
  ).result();
  expect(result).toMatchObject({ isFetched: true });
  expect(await sha256OfFile(join(directory, filename))).toBe(SHA256);
}

describe('a proxy of the environment', () => {
  it('is used for http', async () => {
    await download(origin.url('/model.pth'), 'Http.pth', { HTTP_PROXY: proxy.url });
    expect(proxy.seen.length).toBeGreaterThan(1);
    expect(new Set(proxy.seen)).toEqual(new Set([`GET ${origin.url('/model.pth')}`]));
  });

  it('is not used where NO_PROXY says so', async () => {
    await download(origin.url('/model.pth'), 'Direct.pth', { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' });
    expect(proxy.seen).toEqual([]);
  });

  (certificate ? it : it.skip)('is tunnelled through for https (needs openssl, for a certificate)', async () => {
    const secure = await serveSecurely(certificate ?? { key: '', cert: '' }, origin);
    const { port } = secure.address() as AddressInfo;
    const trust = { NODE_EXTRA_CA_CERTS: join(directory, 'cert.pem') };
    await download(`https://localhost:${port}/model.pth`, 'Https.pth', { HTTPS_PROXY: proxy.url, ...trust });
    expect(proxy.seen.length).toBeGreaterThan(0);
    expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT localhost:${port}`]));
    await download(`https://localhost:${port}/model.pth`, 'Https-direct.pth', trust);
    expect(proxy.seen).toEqual([]);
    secure.closeAllConnections();
    secure.close();
  });
});

/** A proxy that notes what it is asked for. */
class Proxy {
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((request, response) => this.#forward(request, response));
    this.#server.on('connect', (request: IncomingMessage, client: Socket) => this.#tunnel(request, client));
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
  }

  static async start(): Promise<Proxy> {
    const proxy = new Proxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    this.seen.push(`GET ${request.url ?? ''}`);
    const onward = httpRequest(request.url ?? '', { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end();
  }

  #tunnel(request: IncomingMessage, client: Socket): void {
    this.seen.push(`CONNECT ${request.url ?? ''}`);
    const { port } = new URL(`https://${request.url ?? ''}`);
    const onward = connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
  }
}

/** TLS in front of the server. */
async function serveSecurely(tls: { key: string; cert: string }, behind: FaultServer): Promise<HttpsServer> {
  const server = createHttpsServer(tls, (request, response) => {
    const onward = httpRequest(behind.url(request.url ?? '/'), { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A certificate for localhost that nobody else trusts; undefined where there is no openssl. */
function makeCertificate(folder: string): { key: string; cert: string } | undefined {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', [...options, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    return undefined;
  }
}
