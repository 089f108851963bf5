import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHROMIUM, inChromium, scriptedPage } from '../../support/browser-page.ts';
import type { ScriptedPage } from '../../support/browser-page.ts';
import { readPng } from '../../support/images/png.ts';
import type { A1111Service } from '../../support/servers/a1111-service.ts';
import { a1111Service, noisyPng } from '../../support/servers/a1111-service.ts';
import { clientRequest } from '../../support/servers/client-requests.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { rawAnswer } from '../../support/servers/raw-http.ts';

const PICTURE = noisyPng({ width: 30, height: 20 });
const TIMEOUT_MS = 60_000;

/** What a page does that lets its visitor enlarge a picture; the service's origin comes in the query, since it is known last. */
const PAGE = `
  const service = SERVICE;
  const attempt = (work) => work().catch((error) => error.name);
  const extras = (type) => fetch(service + '/sdapi/v1/extra-single-image/', {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: JSON.stringify({ image: '${PICTURE.toString('base64')}', upscaler_1: 'Nearest', upscaling_resize: 2 }),
  });
  return {
    names: await attempt(async () => (await (await fetch(service + '/sdapi/v1/upscalers')).json())[0].name),
    size: await attempt(async () => {
      const picture = new Image();
      picture.src = 'data:image/png;base64,' + (await (await extras('application/json')).json()).image;
      await picture.decode();
      return [picture.naturalWidth, picture.naturalHeight];
    }),
    withoutPreflight: await attempt(async () => (await extras('text/plain')).status),
  };`;

describe('clients of the A1111 WebUI', () => {
  let service: A1111Service;
  let allowed: ScriptedPage;
  let stranger: ScriptedPage;

  beforeAll(async () => {
    const port = await freePort();
    const script = PAGE.replace('SERVICE', JSON.stringify(`http://127.0.0.1:${port}`));
    stranger = await scriptedPage(script);
    allowed = await scriptedPage(script, stranger.origin);
    service = await a1111Service({ PORT: String(port), ALLOWED_ORIGINS: allowed.origin });
  });
  afterAll(async () => {
    await service.close();
    allowed.close();
    stranger.close();
  });

  it.each<[client: string, size: readonly number[]]>([
    ['webuiapi', [45, 30]],
    ['chainner', [90, 90]],
    ['openoutpaint', [60, 40]],
    ['discord-bot', [60, 40]],
    ['intrapaint', [75, 50]],
    ['batch-script', [90, 60]],
    ['sdnext', [60, 40]],
    ['shell', [120, 80]],
  ])('%s gets its picture', async (client, size) => {
    const { status, headers, body } = await rawAnswer(service.port, clientRequest(`a1111-${client}`, PICTURE));
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const { image, images = [image] } = JSON.parse(body.toString()) as { image: string; images?: string[] };
    const pictures = images.map((one) => readPng(Buffer.from(one, 'base64')));
    expect(pictures.map(({ width, height }) => [width, height])).toEqual([size]);
  });

  it('a preflight of an allowed origin is answered, and names it alone', async () => {
    const ask = (origin: string): Promise<Response> =>
      fetch(`${service.url}/sdapi/v1/extra-single-image/`, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type',
        },
      });
    const { headers, ok } = await ask(allowed.origin);
    expect([ok, headers.get('access-control-allow-origin'), headers.get('access-control-allow-headers')]).toEqual([
      true,
      allowed.origin,
      'content-type',
    ]);
    expect((await ask(stranger.origin)).headers.get('access-control-allow-origin')).toBeNull();
  });

  (CHROMIUM === undefined ? it.skip : it)(
    'in Chromium a page of an allowed origin enlarges its picture, and one of another origin can do nothing',
    async () => {
      const jobs = async (): Promise<number> => ((await service.get('/jobs')).body as { jobs: unknown[] }).jobs.length;
      const before = await jobs();
      const [told, refused] = await inChromium(allowed.origin, () => Promise.all([allowed.outcome, stranger.outcome]));
      expect(told).toEqual({ names: 'None', size: [60, 40], withoutPreflight: 422 });
      expect(refused).toEqual({ names: 'TypeError', size: 'TypeError', withoutPreflight: 'TypeError' });
      expect(await jobs()).toBe(before + 1);
    },
    TIMEOUT_MS,
  );
});
