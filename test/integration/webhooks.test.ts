import { createHmac } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { JobView } from '../../app/jobs/job-view.ts';
import { createLogger } from '../../app/logger.ts';
import type { WebhookSenderOptions } from '../../app/webhooks/webhook-sender.ts';
import { WebhookSender } from '../../app/webhooks/webhook-sender.ts';
import { upscaleRequest } from '../support/made-jobs.ts';
import type { HttpService } from '../support/servers/http-service.ts';
import { echo, openHttpService } from '../support/servers/http-service.ts';

const SECRET = 'whsec_bm90IHNvIHNlY3JldCwgaW4gYSB0ZXN0';
const KEY = Buffer.from(SECRET.slice(6), 'base64');

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers as it is told, and tells what came. */
class Receiver {
  readonly received: Received[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #arrivals: ((received: Received) => void)[] = [];

  constructor(answer: (response: ServerResponse, count: number) => void) {
    this.#server = createServer((incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        const received = { headers: incoming.headers, body };
        this.received.push(received);
        answer(response, this.received.length);
        this.#arrivals.splice(0).forEach((arrive) => arrive(received));
      });
    }).on('connection', () => this.connections++);
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook?token=canary`;
  }

  next(): Promise<Received> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

describe('a webhook', () => {
  let service: HttpService;
  let sender: WebhookSender | undefined;
  let receiver: Receiver | undefined;
  let log = '';
  let waiting: (() => void)[] = [];

  beforeEach(async () => {
    waiting = [];
    service = await openHttpService(echo, { webhooksEnabled: true, webhookSecret: SECRET });
    log = '';
  });
  afterEach(async () => {
    await sender?.close();
    await receiver?.close();
    await service.close();
    [sender, receiver] = [undefined, undefined];
  });

  const listen = (answer: (response: ServerResponse, count: number) => void): Promise<string> => {
    receiver = new Receiver(answer);
    return receiver.listen();
  };
  /** Everything but the last: what a real one is as well. */
  const send = (options: Partial<WebhookSenderOptions> = {}): void => {
    const logger = createLogger({ logLevel: 'info' });
    logger.silent = true;
    const keep = (message: string, fields: unknown) => {
      log += `${message} ${JSON.stringify(fields)}\n`;
      waiting.splice(0).forEach((look) => look());
      return logger;
    };
    const recording = Object.assign(Object.create(logger) as typeof logger, { info: keep, warn: keep });
    sender = new WebhookSender({ queue: service.queue, logger: recording, secret: SECRET, ...options });
  };
  const run = async (webhookUrl: string): Promise<string> => {
    const asked = await upscaleRequest(service.files, { webhookUrl });
    const ended = new Promise((resolve) => service.queue.events.once('completed', resolve));
    await service.queue.submit(asked);
    await ended;
    return asked.id;
  };
  const logged = async (text: string): Promise<void> => {
    while (!log.includes(text)) await new Promise<void>((resolve) => waiting.push(resolve));
  };

  it('tells the end of a job, signed', async () => {
    const url = await listen((response) => response.writeHead(204).end());
    send({ isPrivate: () => false });
    const arrival = receiver?.next();
    const id = await run(url);
    const { headers, body } = (await arrival) ?? { headers: {}, body: '' };
    const { 'webhook-id': message = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signature } = headers;
    expect(message).toBe(`msg_${id}`);
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(30);
    const expected = createHmac('sha256', KEY)
      .update(`${String(message)}.${String(timestamp)}.${body}`)
      .digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(headers['content-type']).toBe('application/json');
    const { type, data } = JSON.parse(body) as { type: string; data: JobView };
    expect([type, data.job_id, data.status, data.results.length]).toEqual(['job.completed', id, 'completed', 1]);
    expect(body).not.toContain('canary');
    await logged('webhook delivered');
    expect(log).not.toContain('canary');
  });

  it('is tried again, with the same id, until its receiver has taken it', async () => {
    const url = await listen((response, count) => response.writeHead(count < 3 ? 500 : 200).end());
    send({ isPrivate: () => false, retryDelaysMs: [5, 5, 5, 5] });
    await run(url);
    await logged('webhook delivered');
    expect(new Set(receiver?.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(receiver?.received).toHaveLength(3);
  });

  it('is given up after five tries', async () => {
    const url = await listen((response) => response.destroy());
    send({ isPrivate: () => false, retryDelaysMs: [1, 1, 1, 1] });
    await run(url);
    await logged('"attempt":5,"answer":"ECONNRESET","will_retry":false');
    expect(receiver?.received).toHaveLength(5);
  });

  it.each([
    [302, 2],
    [410, 1],
  ])('follows no redirect, and ends where it is not wanted any more: %p', async (status, tries) => {
    const url = await listen((response) => response.writeHead(status, { Location: '/elsewhere' }).end());
    send({ isPrivate: () => false, retryDelaysMs: [1] });
    await run(url);
    await logged('"will_retry":false');
    expect(receiver?.received).toHaveLength(tries);
  });

  it('connects to no address of a private network, whatever its name was a moment before', async () => {
    const url = new URL(await listen((response) => response.end()));
    send({ retryDelaysMs: [] });
    await run(url.href);
    await logged('"answer":"ERR_PRIVATE_ADDRESS","will_retry":false');
    await sender?.close();

    log = '';
    let asked = 0;
    // A name server that says something else each time, the address of this machine among it.
    const resolve = (
      _name: string,
      _options: unknown,
      callback: (error: null, addresses: LookupAddress[]) => void,
    ): void => {
      asked++;
      const inside = { address: '127.0.0.1', family: 4 };
      callback(null, asked % 2 === 0 ? [inside] : [{ address: '93.184.216.34', family: 4 }, inside]);
    };
    url.hostname = 'rebinding.example';
    send({ resolve, retryDelaysMs: new Array<number>(20).fill(0) });
    await run(url.href);
    await logged('ERR_PRIVATE_ADDRESS');
    expect(asked).toBeGreaterThan(0);
    expect(receiver?.connections).toBe(0);
  });

  it('connects to the very address that was looked at', async () => {
    const url = new URL(await listen((response) => response.end()));
    url.hostname = 'pinned.example';
    let asked = 0;
    send({
      isPrivate: (address) => address !== '127.0.0.1',
      resolve: (_name, _options, callback) => {
        asked++;
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    const arrival = receiver?.next();
    await run(url.href);
    expect((await arrival)?.headers.host).toBe(url.host);
    expect(asked).toBe(1);
  });

  it('is not waited for when the service stops', async () => {
    const url = await listen((response) => response.writeHead(500).end());
    send({ isPrivate: () => false, retryDelaysMs: [60_000] });
    await run(url);
    await logged('"will_retry":true');
    const start = Date.now();
    await sender?.close();
    expect(Date.now() - start).toBeLessThan(20_000);
  });
});

describe('the field webhook_url', () => {
  let service: HttpService;
  afterEach(() => service.close());

  const hiresFix = (url: unknown) =>
    request(service.url)
      .post('/hires-fix')
      .set('Prefer', 'respond-async')
      .send({ images: ['aGk='], webhook_url: url });

  it('goes with the job that it came with', async () => {
    service = await openHttpService(echo, { webhooksEnabled: true });
    const url = 'https://example.org/hook?token=canary';
    const response = await hiresFix(url);
    expect(response.status).toBe(202);
    const { job_id: id } = response.body as { job_id: string };
    expect((await service.queue.get(id)).webhookUrl).toBe(url);
    expect((await request(service.url).get(`/jobs/${id}`)).text).not.toContain('canary');
  });

  it('is one of every form that makes a job', async () => {
    service = await openHttpService(echo, { webhooksEnabled: true });
    for (const path of ['/upscale', '/restore', '/jobs?method=upscale']) {
      const response = await request(service.url)
        .post(path)
        .set('Prefer', 'respond-async')
        .field('webhook_url', 'https://example.org/hook')
        .attach('file', Buffer.from('image'), 'a.png');
      expect([path, response.status]).toEqual([path, 202]);
      const { webhookUrl, warnings } = await service.queue.get((response.body as { job_id: string }).job_id);
      expect([webhookUrl, warnings]).toEqual(['https://example.org/hook', []]);
    }
  });

  it('is refused where it leads inside, and nothing is left of the request', async () => {
    service = await openHttpService(echo, { webhooksEnabled: true });
    for (const url of ['http://127.0.0.1/canary', 'ftp://example.org/canary', 7]) {
      const response = await hiresFix(url);
      expect([response.status, (response.body as { code: string }).code]).toEqual([400, 'ERR_BAD_PARAMETER']);
      expect(response.text).toContain('webhook_url: must');
      expect(response.text).not.toContain('canary');
    }
    expect((await service.folder.files()).filter((file) => file.startsWith('in/'))).toEqual([]);
  });

  it('is refused where the service does not send any', async () => {
    service = await openHttpService(echo);
    const response = await hiresFix('https://example.org/hook');
    expect(response.status).toBe(400);
    expect(response.text).toContain('WEBHOOKS_ENABLED');
  });
});
