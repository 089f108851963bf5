import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { eventually } from '../../support/eventually.ts';
import { brightest, Dashboard, seriousFindings } from '../../support/dashboard.ts';

const PHOTO = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));
const MAX_FIRST_LOAD_BYTES = 150_000;

interface SentFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

describe('the dashboard', () => {
  let dashboard: Dashboard;
  let photo: SentFile;

  beforeAll(async () => {
    dashboard = await Dashboard.start();
    const buffer = await sharp(await readFile(PHOTO))
      .resize(90, 70)
      .png()
      .toBuffer();
    photo = { name: 'photo.png', mimeType: 'image/png', buffer };
  });

  afterAll(async () => {
    await dashboard.close();
  });

  const choose = async (page: Page, upscaler: string): Promise<void> => {
    await page.getByLabel('Upscaler', { exact: true }).selectOption(upscaler);
  };
  const row = (page: Page, name: string) => page.locator('.item', { hasText: name });
  const done = (page: Page, name: string) => row(page, name).locator('.done').first().waitFor();
  const zoomOf = (page: Page) => page.getByTestId('stage').getAttribute('data-zoom');

  it('follows a dropped photo to its end, compares, zooms, and gives the bytes that the service made', async () => {
    const page = await dashboard.open();
    await choose(page, 'COMPACT_X2');
    const dropped = await page.evaluateHandle(`(() => {
      const bytes = Uint8Array.from(atob('${photo.buffer.toString('base64')}'), (c) => c.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }));
      return data;
    })()`);
    await page.dispatchEvent('body', 'drop', { dataTransfer: dropped });
    await page.getByLabel('Look at dropped.png').click();
    await done(page, 'dropped.png');
    await page.getByText('compact-x2.safetensors').waitFor();
    expect(await page.locator('.expected').textContent()).toContain('180 × 140');

    const slider = page.getByRole('slider', { name: 'Where the left side ends' });
    await slider.press('End');
    expect(await slider.getAttribute('aria-valuetext')).toBe('100 % left side');
    await page.getByRole('button', { name: '100 %', exact: true }).click();
    await page.getByTestId('stage').hover();
    await page.mouse.wheel(0, -200);
    expect(Number(await zoomOf(page))).toBeGreaterThanOrEqual(1);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row(page, 'dropped.png').getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('dropped_upscaled.png');
    const saved = await readFile(await download.path());
    const { jobs } = (await (await fetch(`${dashboard.service.url}/jobs`)).json()) as {
      readonly jobs: readonly { readonly results: readonly { readonly sha256: string }[] }[];
    };
    expect(createHash('sha256').update(saved).digest('hex')).toBe(jobs[0]?.results[0]?.sha256);
    expect(await seriousFindings(page)).toEqual([]);

    // The same file on both sides has no difference, at any zoom; another has.
    await page.getByRole('button', { name: 'Difference' }).click();
    expect(await brightest(page)).toBeGreaterThan(0);
    await page.getByLabel('Right side').selectOption({ label: 'dropped.png, original' });
    await eventually(
      () => brightest(page),
      (most) => most === 0,
    );
    for (const zoom of ['37', '100', '133', '200', '350', '800']) {
      await page.getByLabel('Zoom, per cent of the result').fill(zoom);
      await page.getByLabel('Zoom, per cent of the result').press('Enter');
      expect([zoom, await brightest(page)]).toEqual([zoom, 0]);
    }
    await page.context().close();
  });

  it('loads little at first, and nothing of another host', async () => {
    const page = await dashboard.open('about:blank');
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto(dashboard.service.url, { waitUntil: 'networkidle' });
    const own = loaded.filter((url) => url.startsWith(dashboard.service.url));
    expect(loaded.filter((url) => url.startsWith('http') && !own.includes(url))).toEqual([]);
    const files = own.filter((url) => /\/(assets\/.*)?$/.test(url) && !url.includes('socket.io'));
    expect(files.length).toBeGreaterThan(2);
    const sizes = await Promise.all(
      files.map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_FIRST_LOAD_BYTES);
    await page.context().close();
  });

  it('has written no error on the console', () => {
    expect(dashboard.errors).toEqual([]);
  });
});
