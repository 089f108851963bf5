import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { ApiKeys } from '../../../../app/access/api-keys.ts';
import { KeyCheck } from '../../../../app/access/key-check.ts';
import { TokenBuckets } from '../../../../app/access/token-buckets.ts';
import { createCatalog } from '../../../../app/catalog/create-catalog.ts';
import { loadConfig } from '../../../../app/config.ts';
import { createHttpServer } from '../../../../app/http/server.ts';
import { STATUS_OF_CODE } from '../../../../app/http/problem.ts';
import { JobFiles } from '../../../../app/jobs/job-files.ts';
import { createLogger } from '../../../../app/logger.ts';
import type { ImageMethodName } from '../../../../app/options/methods.ts';
import { IMAGE_METHODS } from '../../../../app/options/methods.ts';
import { otherNames } from '../../../../app/options/other-names.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../../support/servers/http-service.ts';

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
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
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
      keys: new KeyCheck(new ApiKeys([])),
      limits: new TokenBuckets(0),
    });
    const routes = routesOf((appOf(server).router as unknown as { stack: readonly Layer[] }).stack);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.length).toBeGreaterThan(15);
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
  });

  it('has a problem that is answered as its example, and so has the page on errors', async () => {
    const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
    const ofPage = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as object;
    const [ofDocument] = document.components.schemas['Problem']?.['examples'] as object[];
    const open = await openHttpService(echo);
    const answerTo = async (scale: string): Promise<object> => {
      const answer = await request(open.url).post(`/upscale?scale=${scale}`).type('image/png').send('no image');
      return answer.body as object;
    };
    expect(await answerTo('x')).toEqual({ ...ofDocument, request_id: expect.any(String) as unknown });
    expect(await answerTo('-1')).toEqual({ ...ofPage, request_id: expect.any(String) as unknown });
    await open.close();
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
      tile: { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 0 }], examples: ['auto', 256] },
      tile_pad: { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 0 }] },
      tta: { anyOf: [{ const: 'auto' }, { enum: [1, 2, 4] }] },
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
    for (const path of ['/upscale', '/enhance'])
      expect(bodyOf(path, 'multipart/form-data')?.properties).toMatchObject(names);
    const config = bodyOf('/hires-fix', 'application/json')?.properties?.['config']?.properties;
    expect(config).toMatchObject({ model_name: { type: 'string' }, scale: { type: 'number' } });
    expect(Object.keys(bodyOf('/colorize', 'multipart/form-data')?.properties ?? {})).not.toContain('model');
  });

  it("has a form of its own for each method that POST /jobs takes, with that method's fields alone", () => {
    const { schema } = document.paths['/jobs']?.['post']?.requestBody?.content['multipart/form-data'] ?? {};
    const forms = (schema?.['anyOf'] ?? []) as readonly Schema[];
    expect(forms.map(({ properties }) => properties?.['method']?.['const'])).toEqual([...IMAGE_METHODS.keys()]);
    for (const { properties: fields = {}, required } of forms) {
      const { form } = IMAGE_METHODS.get(fields['method']?.['const'] as ImageMethodName) ?? {};
      const shape = form?.shape ?? {};
      const others = [...otherNames((name) => Object.hasOwn(shape, name)).keys()];
      const names = ['method', 'files', ...Object.keys(shape), ...others, 'webhook_url'];
      expect(Object.keys(fields).sort()).toEqual(names.sort());
      expect(required).toEqual(['method', 'files']);
    }
    expect(forms.find(({ properties }) => properties?.['method']?.['const'] === 'restore')?.properties).toMatchObject({
      scale: { const: 1 },
      steps: { type: 'string' },
      faces: { type: 'string' },
    });
  });

  it('says which problems a route answers with, by status and code', () => {
    const codes = (path: string, method: string): Readonly<Record<string, string>> =>
      Object.fromEntries(
        Object.entries(document.paths[path]?.[method]?.responses ?? {})
          .filter(([, { content = {} }]) => 'application/problem+json' in content)
          .map(([status, { description }]) => [status, description]),
      );
    expect(codes('/health/live', 'get')).toEqual({
      400: 'ERR_BAD_REQUEST',
      403: 'ERR_HOST_NOT_ALLOWED',
      500: 'ERR_INTERNAL',
    });
    expect(codes('/jobs/{id}', 'get')).toMatchObject({ 401: 'ERR_UNAUTHORIZED', 404: 'ERR_JOB_NOT_FOUND' });
    expect(Object.keys(codes('/upscale', 'post')).map(Number)).toEqual([
      400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503,
    ]);
    expect(codes('/upscale', 'post')['503']).toContain('ERR_MODEL_UNAVAILABLE');
    expect(Object.keys(codes('/enhance', 'post'))).not.toContain('404');
    const named = new Set(
      Object.values(document.paths).flatMap((one) =>
        Object.keys(one).flatMap((method) =>
          Object.values(one[method]?.responses ?? {}).flatMap(({ description }) => description.match(/ERR_\w+/g) ?? []),
        ),
      ),
    );
    for (const code of named) expect(Object.keys(STATUS_OF_CODE)).toContain(code);
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

  it('is a page at /docs that loads nothing, and is open without a key', async () => {
    const { status, text, headers } = await request(service.url).get('/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(text).toContain('<code>/hires-fix</code>');
    expect(text).toContain('number above 0');
    expect(text).not.toMatch(/<script|\bsrc=|https?:\/\//);
  });
});
