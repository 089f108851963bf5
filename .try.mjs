import { chromium } from 'playwright-core';
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const url = process.env.URL ?? 'http://localhost:18555/';
async function shots(name, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (m) => console.log('console', m.type(), m.text()));
  page.on('pageerror', (e) => console.log('pageerror', e.message));
  await page.goto(url);
  await page.getByLabel('Upscaler', { exact: true }).selectOption('COMPACT_X2');
  await page.getByTestId('pick').setInputFiles(['../shared/photos/portrait.jpg']);
  await page.getByLabel('Look at portrait.jpg').first().click();
  await page.locator('.done').first().waitFor({ timeout: 120000 });
  await page.waitForTimeout(700);
  await page.screenshot({ path: `/tmp/webshots/${name}.png` });
  if (options.isMobile) await page.screenshot({ path: `/tmp/webshots/${name}-full.png`, fullPage: true });
  else {
    await page.getByText('Try upscalers on a part').click();
    await page.getByRole('button', { name: 'Compare this part' }).click();
    await page.locator('[data-testid=sheet] img').nth(1).waitFor({ timeout: 120000 });
    await page.getByText('Models').first().click();
    await page.getByText('Copy as').first().click();
    await page.screenshot({ path: `/tmp/webshots/${name}-full.png`, fullPage: true });
    await page.goto(url + 'restore');
    await page.waitForTimeout(800);
    await page.screenshot({ path: `/tmp/webshots/${name}-restore.png` });
  }
  await context.close();
}
await shots('desk-light', { viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
await shots('desk-dark', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
await shots('phone-dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
await browser.close();
