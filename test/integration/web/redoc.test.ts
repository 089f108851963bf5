import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Dashboard } from '../../support/web/dashboard.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('/redoc', () => {
  let service: Dashboard;
  beforeAll(async () => {
    execFileSync(process.execPath, [`${ROOT}scripts/copy-redoc.mjs`]);
    service = await Dashboard.start({ apiKeyDigests: ['00'.repeat(32)] });
  });
  afterAll(() => service.close());

  it('shows every operation and finds them by words, without a key, and asks no host but the service', async () => {
    const page = await service.open('/docs');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(new URL('/redoc', service.service.url).href);
    await page.locator('h2').first().waitFor();
    const document = (await (await fetch(new URL('/openapi.json', service.service.url))).json()) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    const summaries = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ summary }) => summary),
    );
    const shown = await page.locator('h2').allInnerTexts();
    expect(summaries.filter((summary) => !shown.includes(summary))).toEqual([]);
    await page.getByPlaceholder('Search...').fill('zip');
    await page.getByRole('search').getByText('All results of a job as one ZIP').first().waitFor();
    expect(service.errors).toEqual([]);
    const hosts = asked.map((url) => new URL(url)).filter(({ protocol }) => !['data:', 'blob:'].includes(protocol));
    expect(new Set(hosts.map(({ origin }) => origin))).toEqual(new Set([new URL(service.service.url).origin]));
  });

  it('is one script of the package, which holds no address that it would load something from', () => {
    const script = readFileSync(`${ROOT}dist/redoc/redoc.standalone.js`, 'utf8');
    expect(script).not.toMatch(/cdn\.|googleapis|unpkg/);
    expect(readFileSync(`${ROOT}dist/redoc/redoc.standalone.js.LICENSE.txt`, 'utf8')).toContain('license');
  });
});
