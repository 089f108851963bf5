import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { brightest, Dashboard, seriousFindings } from '../../support/web/dashboard.ts';
import { eventually } from '../../support/eventually.ts';
import { pictureFiles } from '../../support/images/picture-files.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** More rows than a window has room for. */
const PICTURES = 12;

describe('the dashboard in the hand', () => {
  let dashboard: Dashboard;
  let folder: TemporaryFolder;
  let pictures: readonly string[];

  beforeAll(async () => {
    dashboard = await Dashboard.start();
    folder = await temporaryFolder();
    pictures = await pictureFiles(folder.path, PICTURES);
  });

  afterAll(async () => {
    await dashboard.close();
    await folder.remove();
  });

  const openWith = async (count: number, options = {}): Promise<Page> => {
    const page = await dashboard.open('/', options);
    await page.getByLabel('Upscaler', { exact: true }).selectOption('NEAREST');
    await page.getByTestId('pick').setInputFiles(pictures.slice(0, count));
    return page;
  };
  const zoomOf = (page: Page) => page.getByTestId('stage').getAttribute('data-zoom');
  const isInSight = (page: Page, selector: string) =>
    page.evaluate<boolean>(`(() => {
      const { top, bottom } = document.querySelector('${selector}').getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    })()`);

  it('does by keys all that is done by the hand, and leaves the focus where the work is', async () => {
    const page = await openWith(3);
    await page.getByText('3 of 3 done').waitFor();
    await page.getByRole('button', { name: 'Hold for left' }).focus();
    await page.keyboard.down(' ');
    await page.locator('.corner.right').waitFor({ state: 'detached' });
    await page.keyboard.up(' ');
    await page.locator('.corner.right').waitFor();
    const focused = () => page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.tagName');
    await page.getByRole('button', { name: 'Remove picture-1.png' }).focus();
    await page.keyboard.press('Enter');
    expect(await eventually(focused, (name) => name.startsWith('Look'))).toBe('Look at picture-0.png');
    await page.getByRole('button', { name: 'Clear ended' }).focus();
    await page.keyboard.press('Enter');
    expect(await eventually(focused, (name) => name === 'Queue')).toBe('Queue');
    await page.context().close();
  });

  it('shows what is looked at, whatever row of the queue it is chosen from and however narrow the window', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    for (const options of [{}, { viewport: { width: 1024, height: 768 } }, phone]) {
      const page = await openWith(PICTURES, options);
      expect(await eventually(() => isInSight(page, '.stage'), Boolean)).toBe(true);
      await page.getByLabel('Look at picture-0.png').first().click();
      expect(await eventually(() => isInSight(page, '.stage'), Boolean)).toBe(true);
      await page.getByRole('button', { name: 'Clear ended' }).waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.context().close();
    }
  });

  it('never loses the pictures from sight, and shows all of them in any mode', async () => {
    const page = await openWith(1);
    await eventually(
      () => brightest(page),
      (most) => most > 0,
    );
    const box = await page.locator('.stage').boundingBox();
    await page.mouse.move((box?.x ?? 0) + 3, (box?.y ?? 0) + 3); // beside the picture
    for (let turns = 0; turns < 30; turns++) await page.mouse.wheel(0, -120);
    await eventually(
      () => zoomOf(page),
      (zoom) => zoom === '32',
    );
    expect(await brightest(page)).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Fit' }).click();
    for (const mode of ['Side by side', 'Slider']) {
      await page.setViewportSize({ width: 1200, height: 500 });
      await eventually(
        () => page.evaluate('innerHeight'),
        (height) => height === 500,
      );
      await page.getByRole('button', { name: mode }).click();
      const zoom = await settled(page);
      await page.getByRole('button', { name: 'Fit' }).click();
      expect(await settled(page)).toBe(zoom);
    }
    await page.context().close();
  });

  it('shows the numbers that it has taken, and not what was typed in vain', async () => {
    const page = await dashboard.open();
    const scale = page.getByLabel('Times as large', { exact: true });
    for (const vain of ['-3', '', '0']) {
      await scale.fill(vain);
      await scale.press('Enter');
      expect(await eventually(() => scale.inputValue(), (value) => value === '2')).toBe('2'); // prettier-ignore
    }
    await scale.press('End');
    await scale.press('Backspace');
    expect(await scale.inputValue()).toBe(''); // what is being typed is nobody's but the hand's
    await scale.press('3');
    await scale.press('Enter');
    await page.getByText('3× with Automatic').waitFor();
    await page.getByLabel('Written as').selectOption('jpeg');
    const quality = page.getByLabel('Quality', { exact: true });
    for (const high of ['300', '200']) {
      await quality.fill(high);
      await quality.press('Enter');
      expect(await eventually(() => quality.inputValue(), (value) => value === '100')).toBe('100'); // prettier-ignore
    }
    const zoom = page.getByLabel('Zoom, per cent of the result');
    for (const [typed, taken] of [
      ['', '100'],
      ['99999', '3200'],
      ['88888', '3200'],
    ] as const) {
      await zoom.fill(typed);
      await zoom.press('Enter');
      expect(await eventually(() => zoom.inputValue(), (value) => value === taken)).toBe(taken); // prettier-ignore
    }
    await zoom.fill('250');
    await page.locator('.stage').hover();
    await page.mouse.wheel(0, 120); // the page is drawn anew, with another zoom
    await eventually(
      () => zoomOf(page),
      (drawn) => drawn !== '32',
    );
    expect(await zoom.inputValue()).toBe('250');
    await zoom.press('Enter');
    expect(await eventually(() => zoomOf(page), (drawn) => drawn === '2.5')).toBe('2.5'); // prettier-ignore
    await page.context().close();
  });

  /** The zoom, once nothing changes it any more: the page has been drawn often enough since, however long that takes. */
  async function settled(page: Page): Promise<string | null> {
    await page.evaluate(`new Promise((resolve) => {
      let left = 30;
      const drawn = () => (left-- > 0 ? requestAnimationFrame(drawn) : resolve());
      drawn();
    })`);
    return zoomOf(page);
  }
});

describe('the box that asks for a key', () => {
  it('is closed by Escape, can be had again, and goes on', async () => {
    const apiKeyDigests = [createHash('sha256').update('sesame').digest('hex')];
    const dashboard = await Dashboard.start({ apiKeyDigests });
    const page = await dashboard.open('/', { isFaulty: true });
    const isFocused = () => page.evaluate<boolean>(`document.activeElement.name === 'key'`);
    for (let times = 0; times < 3; times++) {
      await page.getByRole('dialog').waitFor();
      expect(await isFocused()).toBe(true);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Enter the API key' }).click();
    }
    await eventually(isFocused, Boolean); // what is typed before the box is open goes nowhere
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The service does not take that key.').waitFor();
    await eventually(isFocused, Boolean);
    await page.keyboard.type('sesame'); // over the wrong one
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await dashboard.close();
  });
});
