import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { CommandLine } from '../support/command-line.ts';
import { noise } from '../support/images/images.ts';
import { writePng } from '../support/images/png.ts';
import { inserting } from '../support/planted-sources.ts';
import type { ServeProcess } from '../support/servers/serve-process.ts';
import { serveProcess } from '../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SLOW = 120_000;
const FORMAT = `gif: { label: 'GIF', extensions: ['gif'], mediaType: 'image/gif', longestSide: 65_535, bits: 8,
  holdsAlpha: true, holdsGray: false, holdsTexts: false, holdsColorCodes: false, holdsFrames: true, losesNothing: false },\n  `;
const ENCODER = `gif: { encode: (image) => image.gif(), edits: () => [] },\n  `;
const METHOD = `shrink: imageMethod({
    summary: 'Halve an image',
    suffix: '_small',
    restores: 'never',
    isAllOrNothing: false,
    answer: 'image',
    form: upscaleOptions.pick({ pre_pad: true }).extend({ ...outputOptions.shape, is_sharp: flag().default(false).describe('No filter') }),
    workOf: ({ is_sharp }) => ({
      kind: 'hires-fix',
      options: upscaleOptions.parse({ upscaler: is_sharp ? 'NEAREST' : 'LANCZOS', scale: 0.5 }),
    }),
  }),\n  `;
/** What a new format and a new method are: entries of the tables. */
const ENTRIES = {
  'options/output-formats.ts': inserting(FORMAT, 'png: {'),
  'imaging/codec/encoders.ts': inserting(ENCODER, 'png: {'),
  'options/methods.ts': inserting(METHOD, 'upscale: imageMethod({'),
};

interface Schema {
  readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
}

interface Operation {
  readonly summary: string;
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
}

describe('an output format and a method that nothing but the tables know', () => {
  let folder: TemporaryFolder;
  let commandLine: CommandLine;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    commandLine = await CommandLine.build(ENTRIES);
    await writeFile(at('photo.png'), writePng(noise({ width: 40, height: 24, channels: 3, depth: 8 })));
    await mkdir(at('state'));
    server = await serveProcess(at('state'), { FORCE_CPU: 'true', MODELS_DIR: at('models') }, commandLine.main);
  }, SLOW);

  afterAll(async () => {
    await server.kill();
    await commandLine.remove();
    await folder.remove();
  });

  it(
    'are served, with their media type and the names of their files',
    async () => {
      const made = await request(server.url)
        .post('/shrink')
        .field('output_format', 'gif')
        .attach('file', at('photo.png'));
      expect(made.headers['content-type']).toBe('image/gif');
      expect(made.headers['content-disposition']).toBe('attachment; filename=photo_small.gif');
      expect(gifSize(made.body as Buffer)).toEqual([20, 12]);
      const job = await request(server.url).post('/jobs').field('method', 'shrink').attach('files', at('photo.png'));
      expect(job.status).toBe(202);
    },
    SLOW,
  );

  it('are documented', async () => {
    const { paths } = (await request(server.url).get('/openapi.json')).body as Document;
    expect(paths['/shrink']?.post.summary).toBe('Halve an image');
    expect(fieldsOf(paths['/shrink'])).toMatchObject({ is_sharp: { type: 'boolean', description: 'No filter' } });
    expect(fieldsOf(paths['/upscale'])['output_format']?.enum).toContain('gif');
    expect(JSON.stringify(paths['/jobs'])).toContain('"const":"shrink"');
    expect((await request(server.url).get('/docs')).text).toContain('/shrink');
  });

  it(
    'are taken by the command line, here and on a service, which give the same bytes',
    async () => {
      const here = await run('shrink', 'photo.png', '-o', 'here', '--format', 'gif', '--is-sharp');
      const there = await run('shrink', 'photo.png', '-o', 'there.gif', '--is-sharp', '--server', server.url);
      expect([here.code, here.stderr, there.code, there.stderr]).toEqual([0, '', 0, '']);
      const [one, other] = [await readFile(at('here/photo_small.gif')), await readFile(at('there.gif'))];
      expect(gifSize(one)).toEqual([20, 12]);
      expect(other.equals(one)).toBe(true);
      const help = (await run('shrink', '--help')).stdout;
      expect(help).toMatch(/--is-sharp +No filter/);
      expect(help).toMatch(/--format <auto\|gif\|png\|/);
    },
    SLOW,
  );

  const at = (name: string): string => join(folder.path, name);
  const run = (...args: readonly string[]) => commandLine.run(args, { cwd: folder.path });
});

function fieldsOf(path: Document['paths'][string] | undefined): Schema['properties'] {
  return path?.post.requestBody.content['multipart/form-data']?.schema.properties ?? {};
}

/** Width and height by the header of a GIF. */
function gifSize(file: Buffer): readonly [number, number] {
  expect(file.toString('latin1', 0, 3)).toBe('GIF');
  return [file.readUInt16LE(6), file.readUInt16LE(8)];
}
