import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Config } from '../../../app/config.ts';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import type { TemporaryFolder } from '../temporary-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Debian's. */
const CHROMIUM = '/usr/bin/chromium';

/** A name of this machine that browsers do not trust as they trust loopback addresses: without HTTPS, much that a page may use is missing. */
export const OTHER_HOST = 'hiresfix.test';

/** What axe-core found on a page, as far as it is serious. */
export interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** A file that is picked on a page. */
export interface SentFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** How a page is opened. */
export interface OpenOptions extends BrowserContextOptions {
  /** Whether the browser will have to tell of requests that fail: that is what the test is about. */
  readonly isFaulty?: boolean;
}

/** The service with its page, and a browser that looks at it. */
export class Dashboard {
  readonly service: RunningService;
  /** Errors that any page has written on its console, or thrown. */
  readonly errors: string[] = [];
  readonly #browser: Browser;
  readonly #folder: TemporaryFolder;

  private constructor(service: RunningService, browser: Browser, folder: TemporaryFolder) {
    this.service = service;
    this.#browser = browser;
    this.#folder = folder;
  }

  /** On a free port, with no model but our own, which cannot be downloaded either. */
  static async start(changes: Partial<Config> = {}): Promise<Dashboard> {
    const folder = await temporaryFolder();
    const [service, browser] = await Promise.all([
      startService({
        ...loadConfig({ MODEL_DOWNLOADS: 'false', MODELS_DIR: folder.path, LOG_LEVEL: 'error' }),
        port: 0,
        uploadFolder: join(folder.path, 'in'),
        processedFolder: join(folder.path, 'out'),
        ...changes,
      }),
      chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', `--host-resolver-rules=MAP ${OTHER_HOST} 127.0.0.1`],
      }),
    ]);
    return new Dashboard(service, browser, folder);
  }

  /** A page of a browser that has never been here. */
  async open(path = '/', { isFaulty = false, ...options }: OpenOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000); // what others do with the machine may come first
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !isFaulty) this.errors.push(message.text());
    });
    await page.goto(new URL(path, this.service.url).href);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.service.close(0);
    await this.#folder.remove();
  }
}

/** Chooses what enlarges the pictures that are picked next. */
export async function chooseUpscaler(page: Page, upscaler: string): Promise<void> {
  await page.getByLabel('Upscaler', { exact: true }).selectOption(upscaler);
}

export function pick(page: Page, ...files: readonly SentFile[]): Promise<void> {
  return page.getByTestId('pick').setInputFiles([...files]);
}

/** The row of a picture in the queue. */
export function row(page: Page, name: string): Locator {
  return page.locator('.item', { hasText: name });
}

/** Waits until a picture's result is there. */
export function done(page: Page, name: string): Promise<void> {
  return row(page, name).locator('.done').first().waitFor();
}

/** What axe-core has against a page that is serious or worse. */
export async function seriousFindings(page: Page): Promise<readonly Finding[]> {
  const found = await page.evaluate<{ readonly violations: readonly Finding[] }>(
    `${axe.source}; axe.run(document, { resultTypes: ['violations'] })`,
  );
  return found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}

/** The largest sample of the comparison's canvas, alpha left out: 0 is black all over. */
export function brightest(page: Page): Promise<number> {
  return page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const canvas = document.querySelector('[data-testid=stage]');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let most = 0;
    for (let i = 0; i < data.length; i++) if (i % 4 !== 3 && data[i] > most) most = data[i];
    resolve(most);
  })))`);
}
