import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { SentFile } from '../../support/web/dashboard.ts';
import { brightest, chooseUpscaler, Dashboard, done, OTHER_HOST, pick, row } from '../../support/web/dashboard.ts';
import { eventually } from '../../support/eventually.ts';
import { cuttableLine } from '../../support/servers/cuttable-line.ts';

const PHOTO = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));
/** More than a page of `GET /jobs` has. */
const MANY_JOBS = 101;

describe('the dashboard where something is not as it should be', () => {
  let dashboard: Dashboard;
  let photo: SentFile;
  let slow: SentFile;

  beforeAll(async () => {
    dashboard = await Dashboard.start({ tile: 48, maxQueue: 2 * MANY_JOBS, allowedHosts: [OTHER_HOST] });
    const buffer = await sharp(await readFile(PHOTO))
      .resize(90, 70)
      .png()
      .toBuffer();
    photo = { name: 'photo.png', mimeType: 'image/png', buffer };
    const grey = sharp({ create: { width: 5000, height: 4000, channels: 3, background: '#888' } });
    slow = { name: 'slow.png', mimeType: 'image/png', buffer: await grey.png().toBuffer() };
  });

  afterAll(async () => {
    await dashboard.close();
  });

  const open = async (url: string, upscaler: string, isFaulty = false): Promise<Page> => {
    const page = await dashboard.open(url, { isFaulty });
    await chooseUpscaler(page, upscaler);
    return page;
  };
  const jobIds = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${dashboard.service.url}/jobs?limit=100`);
    return ((await answer.json()) as { readonly jobs: readonly { readonly job_id: string }[] }).jobs.map(
      ({ job_id: id }) => id,
    );
  };
  const forgetJob = async (id: string): Promise<void> => {
    await fetch(`${dashboard.service.url}/jobs/${id}`, { method: 'DELETE' });
  };

  it('takes pictures over plain HTTP under another name than localhost, and shows what it cannot copy', async () => {
    const { port } = new URL(dashboard.service.url);
    const page = await open(`http://${OTHER_HOST}:${port}`, 'NEAREST');
    expect(await page.evaluate('isSecureContext')).toBe(false);
    await pick(page, photo);
    await done(page, 'photo.png');
    await row(page, 'photo.png').getByText('Copy as').click();
    expect(await row(page, 'photo.png').getByRole('button', { name: 'Picture' }).count()).toBe(0);
    await row(page, 'photo.png').getByRole('button', { name: 'curl' }).click();
    await row(page, 'photo.png').getByText(`curl http://${OTHER_HOST}:${port}/upscale`).waitFor();
    await page.getByRole('button', { name: 'Copy link' }).click();
    await page.getByText('The link is in the address bar').waitFor();
    await page.context().close();
  });

  it('shows nothing else in the place of an original that the browser cannot show, and of a TIFF its result', async () => {
    const page = await open('/', 'NEAREST');
    const scan = {
      name: 'scan.tiff',
      mimeType: 'image/tiff',
      buffer: await sharp(photo.buffer).tiff({ compression: 'lzw' }).toBuffer(),
    };
    await pick(page, photo, scan);
    await done(page, 'scan.tiff');
    await done(page, 'photo.png');
    expect(await eventually(() => opaqueHalves(page), isBoth)).toEqual([true, true]);
    await page.getByLabel('Look at scan.tiff').click();
    await page.getByText('This browser cannot show scan.tiff itself').waitFor();
    const seen = await eventually(
      () => opaqueHalves(page),
      ([left, right]) => !left && right,
    );
    expect(seen).toEqual([false, true]);
    await row(page, 'scan.tiff').locator('img.thumbnail').waitFor();
    // The whole of it, as it was made: enlarged by NEAREST it is the photo.
    await page.getByLabel('Left side', { exact: true }).selectOption({ label: 'photo.png, 2× with Nearest' });
    await eventually(() => opaqueHalves(page), isBoth);
    await page.getByRole('button', { name: 'Difference' }).click();
    const most = await eventually(
      () => brightest(page),
      (value) => value === 0,
    );
    expect(most).toBe(0);
    await page.context().close();
  });

  it('says why something did not work, and does a picture again in place of the first try', async () => {
    const page = await open('/', 'NEAREST', true);
    await pick(page, { ...photo, name: 'gone.png' });
    await done(page, 'gone.png');
    await forgetJob((await jobIds())[0] ?? '');
    await row(page, 'gone.png').getByRole('button', { name: 'Download' }).click();
    await row(page, 'gone.png').getByRole('alert').waitFor();
    const cut = { ...photo, name: 'cut.png', buffer: photo.buffer.subarray(0, 2000) };
    await pick(page, cut);
    await row(page, 'cut.png').getByText('the file ends early').waitFor();
    await row(page, 'cut.png').getByRole('button', { name: 'Retry' }).click();
    await row(page, 'cut.png').getByText('the file ends early').waitFor();
    expect(await row(page, 'cut.png').count()).toBe(1);
    await page.context().close();
  });

  it('says of a picture at work that the service has lost it, and does it again', async () => {
    const line = await cuttableLine(dashboard.service.url);
    const page = await open(line.url, 'COMPACT_X2', true);
    await pick(page, slow);
    await row(page, 'slow.png').getByText('tile').waitFor();
    line.cut();
    await page.getByText('Connection lost').waitFor();
    const [id = ''] = await jobIds();
    await forgetJob(id); // calls it off
    await eventually(
      async () => {
        await forgetJob(id);
        return (await jobIds()).includes(id);
      },
      (isThere) => !isThere,
    );
    await line.mend();
    await row(page, 'slow.png').getByText('The service no longer knows this job').waitFor();
    await row(page, 'slow.png').getByRole('button', { name: 'Retry' }).click();
    await row(page, 'slow.png').getByRole('progressbar').waitFor();
    await row(page, 'slow.png').getByRole('button', { name: 'Cancel' }).click();
    await row(page, 'slow.png').getByText('Cancelled').waitFor();
    await page.context().close();
    line.close();
  });

  it('saves all that a job of several pictures has made', async () => {
    const body = new FormData();
    body.append('method', 'upscale');
    body.append('upscaler', 'NEAREST');
    for (const name of ['one.png', 'two.png']) body.append('files', new Blob([new Uint8Array(photo.buffer)]), name);
    await fetch(`${dashboard.service.url}/jobs`, { method: 'POST', body });
    const page = await dashboard.open();
    await done(page, '2 images');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row(page, '2 images').getByRole('button', { name: 'Download' }).click(),
    ]);
    const saved = (await readFile(await download.path())).toString('latin1');
    expect([download.suggestedFilename(), saved.includes('one'), saved.includes('two')]).toEqual([
      'hiresfix.zip',
      true,
      true,
    ]);
    await page.context().close();
  });

  it('keeps a picture whose job is older than a hundred others', async () => {
    const page = await open('/', 'NEAREST');
    await pick(page, { ...photo, name: 'first.png' });
    await done(page, 'first.png');
    for (let count = 0; count < MANY_JOBS; count++) {
      expect((await submit(dashboard.service.url, photo.buffer, 'NEAREST')).status).toBe(202);
    }
    await page.reload();
    await done(page, 'first.png');
    await page.context().close();
  });

  it('has written no error on the console that was not to be', () => {
    expect(dashboard.errors).toEqual([]);
  });
});

describe('the dashboard of a service that is full', () => {
  it('waits for a place in the queue, however long, and sends what is left then', async () => {
    const dashboard = await Dashboard.start({ tile: 48, maxQueue: 1 });
    const { url } = dashboard.service;
    const small = await sharp(await readFile(PHOTO))
      .resize(90, 70)
      .png()
      .toBuffer();
    const grey = sharp({ create: { width: 8000, height: 8000, channels: 3, background: '#888' } });
    const slow = (await (await submit(url, await grey.png().toBuffer(), 'COMPACT_X2')).json()) as {
      readonly job_id: string;
    };
    // Longer than the client waits by itself; as soon as it is known how long the first takes.
    const told = await eventually(
      async () => Number((await submit(url, small, 'NEAREST')).headers.get('Retry-After')),
      (seconds) => seconds > 60,
    );
    expect(told).toBeGreaterThan(60);
    const page = await dashboard.open('/', { isFaulty: true });
    await chooseUpscaler(page, 'NEAREST');
    await pick(page, { name: 'late.png', mimeType: 'image/png', buffer: small });
    await row(page, 'late.png').getByText('Waiting for a place in the queue').waitFor();
    await fetch(`${url}/jobs/${slow.job_id}`, { method: 'DELETE' });
    await done(page, 'late.png');
    await dashboard.close();
  });
});

function submit(url: string, picture: Buffer, upscaler: string): Promise<Response> {
  const body = new FormData();
  body.append('method', 'upscale');
  body.append('upscaler', upscaler);
  body.append('files', new Blob([new Uint8Array(picture)]), 'other.png');
  return fetch(`${url}/jobs`, { method: 'POST', body });
}

/** Whether anything is seen in the left half of the comparison, and in the right one. */
function opaqueHalves(page: Page): Promise<readonly [boolean, boolean]> {
  return page.evaluate(`(() => {
    const { width, height } = document.querySelector('[data-testid=stage]');
    const context = document.querySelector('[data-testid=stage]').getContext('2d');
    const half = Math.floor(width / 2) - 1;
    return [0, width - half].map((x) => context.getImageData(x, 0, half, height).data.some((sample, i) => i % 4 === 3 && sample > 0));
  })()`);
}

function isBoth([left, right]: readonly [boolean, boolean]): boolean {
  return left && right;
}
