import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { eventually } from '../../support/eventually.ts';
import { cuttableLine } from '../../support/servers/cuttable-line.ts';
import type { SentFile } from '../../support/web/dashboard.ts';
import { brightest, chooseUpscaler, Dashboard, done, pick, row, seriousFindings } from '../../support/web/dashboard.ts';

const PHOTO = fileURLToPath(new URL('../../fixtures/cases/face-a.png', import.meta.url));
const MAX_FIRST_LOAD_BYTES = 150_000;

interface ListedJob {
  readonly job_id: string;
  readonly method: string;
  readonly results: readonly { readonly original_filename: string; readonly info: unknown }[];
}

describe('the dashboard', () => {
  let dashboard: Dashboard;
  let photo: SentFile;

  beforeAll(async () => {
    dashboard = await Dashboard.start({ tile: 48 }); // small pictures have several tiles too
    const buffer = await sharp(await readFile(PHOTO))
      .resize(90, 70)
      .png()
      .toBuffer();
    photo = { name: 'photo.png', mimeType: 'image/png', buffer };
  });

  afterAll(async () => {
    await dashboard.close();
  });

  /** The file of the newest result of a picture. */
  const resultOf = async (name: string): Promise<Buffer> => {
    const { jobs } = (await (await fetch(`${dashboard.service.url}/jobs`)).json()) as {
      readonly jobs: readonly ListedJob[];
    };
    const job = jobs.find(({ results, method }) => method === 'upscale' && results[0]?.original_filename === name);
    const response = await fetch(`${dashboard.service.url}/jobs/${job?.job_id ?? ''}/results/0`);
    return Buffer.from(await response.arrayBuffer());
  };
  const infoOf = async (name: string): Promise<unknown> => {
    const { jobs } = (await (await fetch(`${dashboard.service.url}/jobs`)).json()) as {
      readonly jobs: readonly ListedJob[];
    };
    return jobs.flatMap(({ results }) => results).find((one) => one.original_filename === name)?.info;
  };
  /** What a side is said to show where nothing was picked for it. */
  const unpicked = (page: Page, side: 'Left' | 'Right') =>
    page.getByLabel(`${side} side`).locator('option').first().textContent();
  const zoomOf = (page: Page) => page.getByTestId('stage').getAttribute('data-zoom');

  it('follows a dropped photo to its end, compares, zooms, and gives the bytes that the service made', async () => {
    const page = await dashboard.open();
    await chooseUpscaler(page, 'COMPACT_X2');
    await page.getByLabel('Tones', { exact: true }).selectOption('mean');
    await drop(page, { ...photo, name: 'dropped.png' });
    await page.getByLabel('Look at dropped.png').click();
    await done(page, 'dropped.png');
    await page.getByText('compact-x2.safetensors').waitFor();
    await row(page, 'dropped.png').getByText('2× with Compact 2x, tones as they were').waitFor();
    expect(await infoOf('dropped.png')).toMatchObject({ colour_fix: 'mean' });
    await page.getByLabel('Tones', { exact: true }).selectOption('none');
    await page.getByText(/^\d+\.\d dB from the original$/).waitFor();
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
    expect(saved.equals(await resultOf('dropped.png'))).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    const [archive] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'All as ZIP' }).click(),
    ]);
    expect((await readFile(await archive.path())).includes(saved)).toBe(true); // stored as it is
    const [view] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save view' }).click(),
    ]);
    const stage = await page.evaluate<number[]>(
      `(({ width, height }) => [width, height])(document.querySelector('[data-testid=stage]'))`,
    );
    const { width, height } = await sharp(await readFile(await view.path())).metadata();
    expect([width, height]).toEqual(stage);

    // The picture itself goes to the clipboard.
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await row(page, 'dropped.png').getByText('Copy as').click();
    await row(page, 'dropped.png').getByRole('button', { name: 'Picture' }).click();
    await row(page, 'dropped.png').getByText('Picture copied').waitFor();
    const copied = await page.evaluate<number[]>(
      `navigator.clipboard.read().then(([item]) => item.getType('image/png')).then(createImageBitmap).then(({ width, height }) => [width, height])`,
    );
    expect(copied).toEqual([180, 140]);

    // A link shows the same place of the same result to whoever opens it.
    await page.getByLabel('Zoom, per cent of the result').fill('133');
    await page.getByLabel('Zoom, per cent of the result').press('Enter');
    await eventually(
      () => zoomOf(page),
      (value) => value === '1.33',
    );
    await page.getByRole('button', { name: 'Copy link' }).click();
    const [linked, zoom] = [page.url(), await zoomOf(page)];
    const other = await page.context().newPage();
    await other.goto(linked);
    expect(
      await eventually(
        () => zoomOf(other),
        (value) => value === zoom,
      ),
    ).toBe(zoom);
    await other.getByText('compact-x2.safetensors').waitFor();
    await other.close();

    // Where the original is not, the left side does not claim to show it.
    const elsewhere = await dashboard.open(linked);
    await elsewhere.getByText('compact-x2.safetensors').waitFor();
    expect(await unpicked(elsewhere, 'Left')).toBe('Its result: the original is elsewhere');
    expect(await elsewhere.locator('.corner.left').textContent()).not.toContain('Original');
    expect(await unpicked(page, 'Left')).toBe('Its original');
    await elsewhere.context().close();

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

    // The service's own LANCZOS: the original as LANCZOS makes it has no difference from that result.
    await page.getByRole('button', { name: 'Slider' }).click();
    await page.getByLabel('Smaller side as').selectOption('lanczos');
    await chooseUpscaler(page, 'LANCZOS');
    await pick(page, { ...photo, name: 'filtered.png' });
    await done(page, 'filtered.png');
    await page.getByLabel('Look at filtered.png').click();
    await page.getByLabel('Right side').selectOption('');
    await page.getByRole('button', { name: 'Difference' }).click();
    for (const zoom of ['100', '300']) {
      await page.getByLabel('Zoom, per cent of the result').fill(zoom);
      await page.getByLabel('Zoom, per cent of the result').press('Enter');
      const most = await eventually(
        () => brightest(page),
        (value) => value === 0,
      );
      expect([zoom, most]).toEqual([zoom, 0]);
    }
    await page.context().close();
  });

  it('shows a part by several upscalers, each equal to that part of its whole result; a click takes the upscaler', async () => {
    const page = await dashboard.open();
    await chooseUpscaler(page, 'COMPACT_X2');
    await pick(page, photo);
    await done(page, photo.name);
    await page.getByText('Try upscalers on a part').click();
    await page.getByRole('button', { name: 'Compare this part' }).click();
    const image = page.getByAltText('The part by Compact 2x');
    await image.waitFor();
    const shown = await page.evaluate<number[]>(`(() => {
      const { naturalWidth: width, naturalHeight: height } = document.querySelector('[data-testid=sheet] img');
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(document.querySelector('[data-testid=sheet] img'), 0, 0);
      return [...context.getImageData(0, 0, width, height).data];
    })()`);
    const whole = await resultOf(photo.name);
    const part = sharp(whole).extract({ left: 36, top: 28, width: 108, height: 84 });
    expect(Buffer.from(shown)).toEqual(await part.ensureAlpha().raw().toBuffer());
    await page.getByAltText('The part by Lanczos').click();
    expect(await page.getByLabel('Upscaler', { exact: true }).inputValue()).toBe('LANCZOS');
    await page.context().close();
  });

  it('shows tiles where they belong while the rest runs, and asks for those of no other picture', async () => {
    const page = await dashboard.open();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await chooseUpscaler(page, 'COMPACT_X2');
    const large = { ...photo, buffer: await sharp(photo.buffer).resize(1400, 1000).png().toBuffer() };
    await page.getByRole('button', { name: 'Difference' }).click();
    await pick(page, { ...large, name: 'watched.png' }, { ...photo, name: 'other.png' });
    const sketch = await page.waitForResponse(
      (response) => response.url().endsWith('/sketch/0') && response.status() === 200,
    );
    const bytes = await (await fetch(sketch.url())).arrayBuffer();
    const { info, data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([1280, 914, 4]);
    expect([data[3], data.at(-1)]).toEqual([255, 0]); // the first tile is there, the last is not
    await eventually(
      () => brightest(page),
      (most) => most > 0,
    );
    expect(await row(page, 'watched.png').locator('.phase').textContent()).toContain('tile');
    await row(page, 'watched.png').getByRole('button', { name: 'Cancel' }).click();
    await done(page, 'other.png');
    expect(new Set(asked.filter((url) => url.includes('/sketch/'))).size).toBe(1);
    await page.context().close();
  });

  it('is worked by the keyboard alone, from the picture to its file', async () => {
    const page = await dashboard.open();
    await chooseUpscaler(page, 'COMPACT_X2');
    const chosen = page.waitForEvent('filechooser'); // caught from here on: to ask for it takes the browser a moment
    await tabTo(page, '[data-testid=pick]');
    await page.keyboard.press('Enter');
    await (await chosen).setFiles({ ...photo, name: 'keyed.png' });
    await done(page, 'keyed.png');
    await tabTo(page, '.stage');
    for (const key of ['2', 'ArrowRight', '+', 'd', 's', '0', '1']) await page.keyboard.press(key);
    await eventually(
      () => zoomOf(page),
      (zoom) => zoom === '1',
    );
    expect(await zoomOf(page)).toBe('1');
    await tabTo(page, '.slider');
    await page.keyboard.press('PageUp');
    expect(await page.locator('.slider').inputValue()).toBe('60');
    await tabTo(page, '.item .primary');
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toBe('keyed_upscaled.png');
    await page.context().close();
  });

  it('keeps its queue over a reload, calls off what it is told to, and goes on past a bad file', async () => {
    const page = await dashboard.open();
    await chooseUpscaler(page, 'NEAREST');
    await page.getByLabel('Size', { exact: true }).selectOption('width');
    await page.getByLabel('Width', { exact: true }).fill('6000');
    await page.getByLabel('Written as').selectOption('avif'); // slow to write
    await pick(page, { ...photo, name: 'slow.png' });
    await row(page, 'slow.png').getByRole('progressbar').waitFor();
    await page.getByRole('button', { name: 'Reset all settings' }).click();
    await chooseUpscaler(page, 'COMPACT_X2');
    await pick(page, { ...photo, name: 'bad.png', buffer: Buffer.from('no picture') }, { ...photo, name: 'good.png' });
    await row(page, 'good.png').getByText('in the queue').waitFor();
    await page.reload();
    expect(await row(page, 'slow.png').textContent()).toContain('6000 px wide with Nearest, as AVIF');
    await row(page, 'slow.png').getByRole('button', { name: 'Cancel slow.png' }).click();
    await row(page, 'slow.png').getByText('Cancelled').waitFor();
    await done(page, 'good.png');
    await row(page, 'bad.png').locator('.problem').waitFor();
    await row(page, 'bad.png').getByRole('button', { name: 'Remove bad.png' }).click();
    await row(page, 'bad.png').waitFor({ state: 'detached' });
    await page.reload();
    await row(page, 'good.png').waitFor();
    expect(await row(page, 'bad.png').count()).toBe(0);
    await page.context().close();
  });

  it('goes on where a lost connection comes back', async () => {
    const line = await cuttableLine(dashboard.service.url);
    const page = await dashboard.open(line.url, { isFaulty: true });
    await page.getByText('Live', { exact: true }).waitFor();
    await chooseUpscaler(page, 'COMPACT_X2');
    line.cut();
    await pick(page, { ...photo, name: 'later.png' });
    await page.getByText('Connection lost').waitFor();
    expect(await row(page, 'later.png').textContent()).toContain('Sending');
    await line.mend();
    await page.getByText('Live', { exact: true }).waitFor();
    await done(page, 'later.png');
    await page.context().close();
    line.close();
  });

  it('restores what it can, and says of a missing model that it is missing', async () => {
    const page = await dashboard.open('/restore');
    await page.getByText('Not installed: codeformer').waitFor();
    await pick(page, { ...photo, name: 'old.png' });
    await row(page, 'old.png').locator('.problem').waitFor();
    expect(await row(page, 'old.png').textContent()).toContain('Faces by CodeFormer, coloured by DDColor, general');
    expect(await row(page, 'old.png').locator('.problem').textContent()).toMatch(/MODEL_DOWNLOADS/);
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });

  it('fits a phone, and zooms between two fingers', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
    const page = await dashboard.open('/', { ...phone, colorScheme: 'dark' });
    await chooseUpscaler(page, 'AUTO'); // its fallback tells an address that has no place to break
    const named = { ...photo, name: 'the-name-of-a-picture-that-a-phone-has-no-room-for-in-one-line.png' };
    await pick(page, named);
    await done(page, named.name);
    await page.getByText(/^Fell back from .*https:/).waitFor();
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await eventually(
        () => page.evaluate('innerWidth'),
        (inner) => inner === width,
      );
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
    expect(await seriousFindings(page)).toEqual([]);
    const before = Number(await zoomOf(page));
    await page.locator('.stage').scrollIntoViewIfNeeded();
    const box = await page.locator('.stage').boundingBox();
    await pinch(page, (box?.x ?? 0) + 150, (box?.y ?? 0) + 120);
    await eventually(
      () => zoomOf(page),
      (zoom) => Number(zoom) > before * 1.5,
    );
    expect(Number(await zoomOf(page))).toBeGreaterThan(before * 1.5);
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

describe('the dashboard of a service with a key', () => {
  it('asks for the key, refuses a wrong one, and goes on with the right one, at its second port too', async () => {
    const apiKeyDigests = [createHash('sha256').update('sesame').digest('hex')];
    const dashboard = await Dashboard.start({ apiKeyDigests, dashboardPort: 0, allowModelUpload: true });
    const { url, dashboardUrl } = dashboard.service;
    expect(dashboardUrl).not.toBe(url);
    const page = await dashboard.open(dashboardUrl, { isFaulty: true });
    await page.getByText('This service wants an API key.').waitFor();
    await page.getByLabel('API key', { exact: true }).fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The service does not take that key.').waitFor();
    await page.getByLabel('API key', { exact: true }).fill('sesame');
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/^\d+ of \d+ installed$/).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await drop(page, { name: 'no-model.pth', mimeType: '', buffer: Buffer.from('not a checkpoint') });
    await page.getByText("'no-model.pth' is not taken: ").waitFor();
    const model = await readFile(fileURLToPath(new URL('../../../models/compact-x2.safetensors', import.meta.url)));
    await drop(page, { name: 'mine.safetensors', mimeType: '', buffer: model });
    await page.getByText('1 model was added').waitFor();
    await page.getByLabel('Upscaler', { exact: true }).selectOption('mine');
    await dashboard.close();
  });
});

async function drop(page: Page, { name, mimeType, buffer }: SentFile): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const bytes = Uint8Array.from(atob('${buffer.toString('base64')}'), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], '${name}', { type: '${mimeType}' }));
    return data;
  })()`);
  await page.dispatchEvent('body', 'drop', { dataTransfer });
}

/** Presses Tab until what has the focus is what is wanted. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
  }
  throw new Error(`the keyboard does not come to ${selector}`);
}

/** Two fingers that part about a point. */
async function pinch(page: Page, x: number, y: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints:
        apart === 0
          ? []
          : [
              { x: x - apart, y },
              { x: x + apart, y },
            ],
    });
  await touch('touchStart', 20);
  for (const apart of [30, 40, 60, 80]) await touch('touchMove', apart);
  await touch('touchEnd', 0);
}
