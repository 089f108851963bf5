import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { dashboardRoute } from '../../../app/http/routes/dashboard-route.ts';

describe('the page at /', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hiresfix-web-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('leads people to the documents where the dashboard was not built', async () => {
    const app = express().use(dashboardRoute(folder));
    const { status, type, text, headers } = await request(app).get('/');
    expect([status, type]).toEqual([200, 'text/html']);
    expect(text).toMatch(/hiresfix runs here[^]*href="\/docs"[^]*href="\/openapi.json"/);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    for (const known of [String(headers['etag']), `"other", W/${String(headers['etag'])}`])
      await request(app).get('/').set('If-None-Match', known).expect(304);
    await request(app).get('/assets/index.js').expect(404);
    await request(app).post('/').expect(404);
  });

  it('is the dashboard where it was built', async () => {
    await writeFile(join(folder, 'index.html'), '<p>the dashboard</p>');
    expect((await request(express().use(dashboardRoute(folder))).get('/')).text).toBe('<p>the dashboard</p>');
  });

  it('lets its worker compile WebAssembly, and the page itself not', async () => {
    await writeFile(join(folder, 'index.html'), '<p>the dashboard</p>');
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'assets', 'worker.js'), 'postMessage(1)');
    const app = express().use(dashboardRoute(folder));
    const policyOf = async (path: string): Promise<unknown> =>
      (await request(app).get(path).expect(200)).headers['content-security-policy'];
    expect(await policyOf('/assets/worker.js')).toBe(
      "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'",
    );
    expect(await policyOf('/')).not.toContain('wasm');
  });
});
