import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readlink, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { sharedProgram } from '../support/built-program.ts';
import { untilSaid } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import type { A1111Service } from '../support/servers/a1111-service.ts';
import { a1111Service, noisyPng } from '../support/servers/a1111-service.ts';
import { clientRequest } from '../support/servers/client-requests.ts';
import { rawAnswer } from '../support/servers/raw-http.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/recipes.md`, 'utf8');
const PICTURE = noisyPng({ width: 24, height: 16 });
const ADDRESS = 'http://127.0.0.1:8001';
const PYTHON = process.env['HIRESFIX_PYTHON'] ?? 'python3';

interface Block {
  readonly section: string;
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of the page, each with the section that it stands in. */
function blocksOf(page: string): readonly Block[] {
  return page.split(/^## /m).flatMap((section) => {
    const [title = ''] = section.split('\n');
    return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
      ...{ section: title, language, text },
    }));
  });
}

/** What a node of n8n sends, as far as the recipe uses it. */
interface N8nNode {
  readonly parameters: {
    readonly method: string;
    readonly url: string;
    readonly bodyParameters: {
      readonly parameters: readonly {
        readonly parameterType: string;
        readonly name: string;
        readonly value?: string;
      }[];
    };
  };
}

describe('the recipes', () => {
  const blocks = blocksOf(PAGE);
  let service: A1111Service;
  let folder: TemporaryFolder;

  beforeAll(async () => {
    service = await a1111Service();
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  /** The blocks of a section in a language, with the address of the service that runs. */
  const written = (section: string, language: string): string[] =>
    blocks
      .filter((block) => block.section === section && block.language === language)
      .map(({ text }) => text.replaceAll(ADDRESS, service.url));
  /** A folder of its own for each run, with a picture to enlarge. */
  const place = async (): Promise<string> => {
    const path = await mkdtemp(join(folder.path, 'recipe-'));
    await writeFile(join(path, 'photo.png'), PICTURE);
    return path;
  };
  const run = async (program: string, args: readonly string[], cwd: string): Promise<string> => {
    const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'] } });
    let told = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (told += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended by ${String(code)}: ${told}`);
    return told;
  };
  const shapeOf = async (file: string | Buffer): Promise<unknown> => {
    const { width, height, format } = await sharp(typeof file === 'string' ? readFileSync(file) : file).metadata();
    return [width, height, format];
  };
  const ENLARGED = [48, 32, 'png'];

  it('are those for whom the page is, and each of their blocks is run here', () => {
    expect(blocks.map(({ section, language }) => `${section}: ${language}`)).toEqual([
      ...['curl: sh', 'curl: sh', 'Python: python', 'JavaScript: js', 'A watched folder: sh', 'A1111 scripts: python'],
      ...['ComfyUI: sh', 'ComfyUI: text', 'Suwayomi: hocon', 'Open WebUI: python', 'n8n: json'],
    ]);
  });

  it('for curl enlarge at once, and as a job', async () => {
    const said = [];
    for (const block of written('curl', 'sh')) {
      const cwd = await place();
      said.push(await run('bash', ['-euo', 'pipefail', '-c', block], cwd));
      expect(await shapeOf(join(cwd, 'photo-2x.png'))).toEqual(ENLARGED);
    }
    expect(said[1]).toContain('event: completed');
  });

  it.each(['Python', 'A1111 scripts'])('for %s enlarge, and tell what did it', async (section) => {
    const [block = ''] = written(section, 'python');
    const cwd = await place();
    expect(await run(PYTHON, ['-c', block], cwd)).toMatch(/COMPACT_X2/);
    expect(await shapeOf(join(cwd, 'photo-2x.png'))).toEqual(ENLARGED);
  });

  it('for JavaScript enlarge', async () => {
    const cwd = await place();
    await writeFile(join(cwd, 'recipe.mjs'), written('JavaScript', 'js')[0] ?? '');
    await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'recipe.mjs'], cwd);
    expect(await shapeOf(join(cwd, 'photo-2x.png'))).toEqual(ENLARGED);
  });

  it('for a watched folder enlarge what comes, and tell of what is no picture', async () => {
    const cwd = await place();
    const program = await sharedProgram();
    await mkdir(join(cwd, 'node_modules/.bin'), { recursive: true }); // where npx looks first
    const command = `#!/bin/sh\nexec '${process.execPath}' '${program.main}' "$@"\n`;
    await writeFile(join(cwd, 'node_modules/.bin/hiresfix'), command, { mode: 0o755 });
    const [block = ''] = written('A watched folder', 'sh');
    const watch = spawn('bash', ['-c', block], { cwd, env: { PATH: process.env['PATH'] }, detached: true });
    try {
      await untilSaid(watch.stderr, 'watching inbox for pictures');
      await writeFile(join(cwd, 'broken.png'), 'no picture');
      const isTold = untilSaid(watch.stderr, 'ERR_BAD_IMAGE');
      for (const name of ['photo.png', 'broken.png']) await rename(join(cwd, name), join(cwd, 'inbox', name));
      await isTold;
      expect(await appears(join(cwd, 'outbox/photo_upscaled.png'))).toBe(true);
    } finally {
      process.kill(-(watch.pid ?? 0), 'SIGKILL');
      await program.remove();
    }
    expect(await shapeOf(join(cwd, 'outbox/photo_upscaled.png'))).toEqual(ENLARGED);
    expect(existsSync(join(cwd, 'outbox/broken_upscaled.png'))).toBe(false);
  });

  it('for ComfyUI put the nodes where it looks for them, and name the address that remote-upscale nodes ask', async () => {
    const cwd = await place();
    await mkdir(join(cwd, 'ComfyUI/custom_nodes'), { recursive: true });
    await symlink(`${ROOT}integrations`, join(cwd, 'integrations'));
    await run('bash', ['-euc', written('ComfyUI', 'sh')[0] ?? ''], cwd);
    expect(await readlink(join(cwd, 'ComfyUI/custom_nodes/hiresfix'))).toBe(join(cwd, 'integrations/comfyui'));
    expect(existsSync(join(cwd, 'ComfyUI/custom_nodes/hiresfix/nodes.py'))).toBe(true);
    const { pathname } = new URL((written('ComfyUI', 'text')[0] ?? '').trim());
    const { status, body } = await rawAnswer(service.port, sentTo('gen1nya-upscale', `${pathname}/upscale`));
    expect([status, (await shapeOf(body)) as unknown[]]).toEqual([200, ENLARGED]);
  });

  it('for Suwayomi are an address that answers what Suwayomi sends with the page', async () => {
    const [, target = ''] = /target = "([^"]+)"/.exec(written('Suwayomi', 'hocon')[0] ?? '') ?? [];
    const { pathname, search } = new URL(target);
    const { status, body } = await rawAnswer(service.port, sentTo('suwayomi', pathname + search));
    expect([status, await shapeOf(body)]).toEqual([200, [48, 32, 'webp']]);
  });

  it('for Open WebUI are a tool whose method does it', async () => {
    const cwd = await place();
    const call = 'print(Tools().enlarge_picture("photo.png"))';
    const told = await run(PYTHON, ['-c', `${written('Open WebUI', 'python')[0] ?? ''}\n${call}\n`], cwd);
    expect(told.trim()).toBe('The enlarged picture is photo-enlarged.png');
    expect(await shapeOf(join(cwd, 'photo-enlarged.png'))).toEqual(ENLARGED);
  });

  it('for n8n are a node whose request does it', async () => {
    const { nodes } = JSON.parse(written('n8n', 'json')[0] ?? '') as { nodes: readonly N8nNode[] };
    const { method, url, bodyParameters } = nodes[0]?.parameters ?? {};
    const body = new FormData();
    for (const { parameterType, name, value = '' } of bodyParameters?.parameters ?? []) {
      if (parameterType === 'formBinaryData') body.append(name, new Blob([new Uint8Array(PICTURE)]), 'photo.png');
      else body.append(name, value);
    }
    const answer = await fetch(url ?? '', { method: method ?? '', body });
    expect([answer.status, await shapeOf(Buffer.from(await answer.arrayBuffer()))]).toEqual([200, ENLARGED]);
  });
});

function appears(path: string): Promise<boolean> {
  return eventually(() => Promise.resolve(existsSync(path)), Boolean);
}

/** What a client sends, to another path. */
function sentTo(client: string, path: string): Buffer {
  const sent = clientRequest(client, PICTURE).toString('latin1');
  return Buffer.from(sent.replace(/^POST \S+/, `POST ${path}`), 'latin1');
}
