import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { CommandLine } from '../../support/command-line.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

type Call = Awaited<ReturnType<Client['callTool']>>;

describe('hiresfix mcp', () => {
  let commandLine: CommandLine;
  let folder: TemporaryFolder;
  let client: Client;

  beforeAll(async () => {
    commandLine = await CommandLine.build();
    folder = await temporaryFolder();
    await mkdir(at('pictures'));
    await mkdir(at('secrets'));
    for (const name of ['pictures/a.png', 'secrets/b.png']) await picture(name, 30, 20);
    await symlink(at('secrets/b.png'), at('pictures/link.png'));
    await symlink(at('secrets'), at('pictures/elsewhere'));
    client = await connected();
  });
  afterAll(async () => {
    await client.close();
    await commandLine.remove();
    await folder.remove();
  });

  const at = (name: string): string => join(folder.path, name);
  const picture = (name: string, width: number, height: number): Promise<void> =>
    writeFile(at(name), writePng(gradient({ width, height, channels: 3, depth: 8 })));
  const connected = async (...args: readonly string[]): Promise<Client> => {
    const { PATH = '' } = process.env;
    const env = { PATH, FORCE_CPU: 'true', MODEL_DOWNLOADS: 'false', MODELS_DIR: at('models') };
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [commandLine.main, 'mcp', '--root', at('pictures'), ...args],
      env,
    });
    const one = new Client({ name: 'a-test', version: '1.0.0' });
    await one.connect(transport);
    return one;
  };
  const textOf = ({ content }: Call): string =>
    content.flatMap((part) => (part.type === 'text' ? [part.text] : []))[0] ?? '';

  it('offers its tools, and the models that it has', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'colorize',
      'find_faces',
      'list_models',
      'restore',
      'upscale',
    ]);
    const listed = JSON.parse(textOf(await client.callTool({ name: 'list_models' }))) as {
      upscalers: string[];
      models: object[];
    };
    expect(listed.upscalers).toEqual(expect.arrayContaining(['AUTO', 'LANCZOS', 'COMPACT_X2']));
    expect(listed.models).toContainEqual(expect.objectContaining({ name: 'compact-x2', installed: true }));
  });

  it('enlarges a picture, with progress and a preview, and never a second time over the first', async () => {
    const told: number[] = [];
    const call = {
      name: 'upscale',
      arguments: { input: 'a.png', output: 'new/a.png', upscaler: 'COMPACT_X2', scale: 2 },
    };
    const made = await client.callTool(call, { onprogress: ({ progress }) => void told.push(progress) });
    expect(JSON.parse(textOf(made))).toMatchObject({
      output: at('pictures/new/a.png'),
      info: { upscaler: 'COMPACT_X2', output: { width: 60, height: 40 } },
    });
    expect(readPng(await readFile(at('pictures/new/a.png'))).width).toBe(60);
    expect(made.content[1]).toMatchObject({
      type: 'image',
      mimeType: 'image/jpeg',
      data: expect.stringMatching(/^\/9j\//) as unknown,
    });
    expect([told.length > 1, told.every((one, index) => one > (told[index - 1] ?? -1))]).toEqual([true, true]);
    const again = await client.callTool(call);
    expect([again.isError, textOf(again)]).toEqual([true, expect.stringMatching(/^ERR_FILE_EXISTS: .*new\/a\.png/)]);
  });

  it.each(['here', 'through a service'])('takes a list of steps as its text (%s)', async (where) => {
    const service = where === 'here' ? undefined : await serveProcess(at('steps'), {}, commandLine.main);
    const caller = service ? await connected('--server', service.url) : client;
    const refused = await caller.callTool({ name: 'restore', arguments: { input: 'a.png', steps: 'deblur, Denoise' } });
    expect(textOf(refused)).toMatch(/^ERR_MODEL_UNAVAILABLE: The model nafnet-/);
    if (service) await caller.close();
    await service?.kill();
  });

  it.each([
    [{ input: '../secrets/b.png' }],
    [{ input: 'link.png' }],
    [{ input: 'elsewhere/b.png' }],
    [{ input: process.execPath }],
    [{ input: 'a.png', output: '../secrets/new.png' }],
    [{ input: 'a.png', output: 'elsewhere/new.png' }],
    [{ input: 'a.png', output: 'elsewhere/deeper/new.png' }],
    [{ input: 'a.png', output: 'link.png' }],
    [{ input: 'a.png', upscaler: '../secrets/b.png' }],
  ])('refuses %j, which leads out of the folders that are allowed', async (place) => {
    const refused = await client.callTool({ name: 'upscale', arguments: { upscaler: 'NEAREST', ...place } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(/^ERR_USAGE: (in|out)put: .*lies outside|^ERR_UNKNOWN_UPSCALER/);
    expect(await folder.files()).not.toContainEqual(expect.stringContaining('new.png'));
  });

  it('ends its work when the call is cancelled, and leaves nothing of it', async () => {
    await picture('pictures/large.png', 900, 700);
    const enough = new AbortController();
    const call = client.callTool(
      { name: 'upscale', arguments: { input: 'large.png', output: 'stopped.png', upscaler: 'COMPACT_X2' } },
      {
        signal: enough.signal,
        onprogress: ({ message }) => {
          if (message?.startsWith('upscaling') === true) enough.abort('enough');
        },
      },
    );
    await expect(call).rejects.toThrow('enough');
    const next = await client.callTool({
      name: 'upscale',
      arguments: { input: 'a.png', output: 'next.png', upscaler: 'NEAREST' },
    });
    expect(next.isError).not.toBe(true);
    expect(await folder.files()).not.toContain('pictures/stopped.png');
  });

  it('works through a service', async () => {
    const service: ServeProcess = await serveProcess(at('service'), {}, commandLine.main);
    const other = await connected('--server', service.url);
    const made = await other.callTool({
      name: 'upscale',
      arguments: { input: 'a.png', output: 'remote.webp', upscaler: 'NEAREST', scale: 3 },
    });
    expect(JSON.parse(textOf(made))).toMatchObject({ output: at('pictures/remote.webp'), info: { format: 'webp' } });
    const faces = await other.callTool({ name: 'find_faces', arguments: { input: 'a.png' } });
    expect([faces.isError, textOf(faces)]).toEqual([true, expect.stringMatching(/^ERR_MODEL_UNAVAILABLE: /)]);
    await other.close();
    await service.kill();
  });

  it('says on the command line which folder is none', async () => {
    const { code, stderr } = await commandLine.run(['mcp', '--root', at('nowhere')], { cwd: folder.path });
    expect([code, stderr]).toEqual([2, `hiresfix: --root: expected a folder, got ${at('nowhere')}\n`]);
  });
});
