import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { createCatalog } from '../../../app/catalog/create-catalog.ts';
import { loadConfig } from '../../../app/config.ts';
import { createHttpServer } from '../../../app/http/server.ts';
import { JobFiles } from '../../../app/jobs/job-files.ts';
import { createLogger } from '../../../app/logger.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../support/servers/http-service.ts';

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method: string }[] };
  readonly handle: { readonly stack?: readonly Layer[] };
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [key: string]: unknown;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDocument>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface OperationDocument {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** Method and path of every route below a list of layers, however deep the routers are nested. */
function routesOf(stack: readonly Layer[]): string[] {
  return stack.flatMap(({ route, handle }) =>
    route
      ? route.stack.map(({ method }) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`)
      : routesOf(handle.stack ?? []),
  );
}

function appOf(server: Server): Express {
  return server.listeners('request')[0] as Express;
}

describe('/openapi.json', () => {
  let service: HttpService;
  let document: Document;
  beforeEach(async () => {
    service = await openHttpService(echo, { apiKeyDigests: ['00'.repeat(32)] });
    document = (await request(service.url).get('/openapi.json')).body as Document;
  });
  afterEach(() => service.close());

  it('has every route of the service, and no other', () => {
    const config = { ...loadConfig({}), uploadFolder: '/nowhere', processedFolder: '/nowhere' };
    const logger = createLogger({ logLevel: 'error' });
    const { queue } = service;
    const server = createHttpServer({
      config,
      logger,
      queue,
      files: new JobFiles(config),
      catalog: createCatalog(config),
    });
    const routes = routesOf((appOf(server).router as unknown as { stack: readonly Layer[] }).stack);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.length).toBeGreaterThan(15);
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
  });

  it('says of fields what the schemas say: kinds, ranges, defaults', () => {
    const { schema } = document.paths['/upscale']?.['post']?.requestBody?.content['multipart/form-data'] ?? {};
    expect(schema?.required).toEqual(['file']);
    expect(schema?.properties).toMatchObject({
      file: { type: 'string', format: 'binary' },
      scale: { type: 'number', exclusiveMinimum: 0 },
      quality: { type: 'integer', minimum: 1, maximum: 100 },
      output_format: { default: 'auto', enum: ['auto', 'png', 'jpeg', 'webp', 'avif', 'tiff'] },
      is_face_enhance: { type: 'boolean' },
      upscaler: { default: 'AUTO' },
      webhook_url: { type: 'string', maxLength: 2048 },
    });
    const hiresFix = document.paths['/hires-fix']?.['post']?.requestBody?.content['application/json']?.schema;
    expect(hiresFix?.required).toEqual(['images']);
    expect(hiresFix?.properties?.['config']?.properties).toMatchObject({ upscale_factor: { type: 'number' } });
  });

  it('has the other names of fields, wherever they are taken', () => {
    const bodyOf = (path: string, type: string): Schema | undefined =>
      document.paths[path]?.['post']?.requestBody?.content[type]?.schema;
    const names = {
      model: { type: 'string' },
      outscale: { type: 'number' },
      tile_size: { description: expect.stringMatching('tile;') },
    };
    for (const path of ['/upscale', '/enhance', '/jobs'])
      expect(bodyOf(path, 'multipart/form-data')?.properties).toMatchObject(names);
    const config = bodyOf('/hires-fix', 'application/json')?.properties?.['config']?.properties;
    expect(config).toMatchObject({ model_name: { type: 'string' }, scale: { type: 'number' } });
    expect(Object.keys(bodyOf('/colorize', 'multipart/form-data')?.properties ?? {})).not.toContain('model');
  });

  it('refers to nothing that is not there, and names each operation once', () => {
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(20);
    expect([...new Set(names)].sort()).toEqual(Object.keys(document.components.schemas).sort());
    const ids = Object.values(document.paths).flatMap((one) =>
      Object.values(one).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.openapi).toBe('3.1.0');
  });

  it.each(['/docs', '/redoc'])('is a page at %s that loads nothing, and is open without a key', async (path) => {
    const { status, text, headers } = await request(service.url).get(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(text).toContain('<code>/hires-fix</code>');
    expect(text).toContain('number above 0');
    expect(text).not.toMatch(/<script|\bsrc=|https?:\/\//);
  });
});
