import { readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CommandEnd } from '../../support/command-line.ts';
import { CommandLine, untilSaid } from '../../support/command-line.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { FaultServer, madeUpModel } from '../../support/servers/fault-server.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Told {
  readonly results: readonly { readonly info: { readonly upscaler: string; readonly fallbacks: readonly object[] } }[];
}

describe('the first command of somebody new', () => {
  let commandLine: CommandLine;
  let folder: TemporaryFolder;
  let mirror: FaultServer;

  beforeAll(async () => {
    commandLine = await CommandLine.build();
  });
  afterAll(() => commandLine.remove());
  beforeEach(async () => {
    folder = await temporaryFolder();
    mirror = await FaultServer.start();
    mirror.serve('/models/RealESRGAN_x2plus.pth', madeUpModel(67_000_000), { bytesPerSecond: 200_000 });
    await writeFile(join(folder.path, 'a.png'), writePng(gradient({ width: 30, height: 20, channels: 3, depth: 8 })));
  });
  afterEach(async () => {
    await mirror.close();
    await folder.remove();
  });

  const environment = (): Record<string, string> => {
    return { MODEL_DOWNLOADS: 'true', MODEL_MIRROR: mirror.url('/models'), MODELS_DIR: join(folder.path, 'models') };
  };
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const run = (args: readonly string[], onStart?: (child: { kill(signal: 'SIGINT'): boolean }) => void) =>
    commandLine.run(['upscale', 'a.png', '-o', 'out.png', ...args], {
      cwd: folder.path,
      env: environment(),
      ...(onStart && { onStart }),
    });
  const interrupted = (args: readonly string[]): Promise<CommandEnd> =>
    run(args, (child) => {
      void (async () => {
        while (mirror.sent === 0) await pause();
        child.kill('SIGINT');
      })();
    });

  it('hears what AUTO fetches and from where, and one Ctrl-C continues with COMPACT_X2', async () => {
    const { code, stdout, stderr } = await interrupted(['--scale', '2', '--json']);
    expect(stderr.trim().split('\n')).toEqual([
      `hiresfix: AUTO uses REALESRGAN_X2PLUS, which is not installed yet: downloading 67 MB, once, from 127.0.0.1:${mirror.port}`,
      'hiresfix: Ctrl-C continues with COMPACT_X2, which needs no download; so does --upscaler COMPACT_X2 or MODEL_DOWNLOADS=false',
      'hiresfix: the download of realesrgan-x2plus was interrupted; continuing with COMPACT_X2',
    ]);
    expect(code).toBe(0);
    const { info } = (JSON.parse(stdout) as Told).results[0] ?? {};
    expect(info).toMatchObject({
      upscaler: 'COMPACT_X2',
      fallbacks: [
        { from: 'REALESRGAN_X2PLUS', to: 'COMPACT_X2', reason: expect.stringContaining('interrupted') as unknown },
      ],
    });
    expect(readPng(readFileSync(join(folder.path, 'out.png'))).width).toBe(60);
  });

  it('goes on watching with COMPACT_X2 after one Ctrl-C, and ends by the next', async () => {
    await mkdir(join(folder.path, 'in'));
    await rename(join(folder.path, 'a.png'), join(folder.path, 'in/a.png'));
    const { code, stderr } = await commandLine.run(['upscale', 'in', '-o', 'out', '--scale', '2', '--watch'], {
      cwd: folder.path,
      env: environment(),
      onStart: (child) => {
        void (async () => {
          while (mirror.sent === 0) await pause();
          child.kill('SIGINT');
          await untilSaid(child.stdout, 'a_upscaled.png');
          await copyFile(join(folder.path, 'in/a.png'), join(folder.path, 'in/b.png'));
          await untilSaid(child.stdout, 'b_upscaled.png');
          child.kill('SIGINT');
        })();
      },
    });
    expect(stderr.trim().split('\n')).toEqual([
      'hiresfix: watching in for pictures; Ctrl-C ends',
      expect.stringContaining('downloading 67 MB, once'),
      expect.stringContaining('Ctrl-C continues with COMPACT_X2'),
      'hiresfix: the download of realesrgan-x2plus was interrupted; continuing with COMPACT_X2',
      'hiresfix: stopped watching: 2 made, 0 there already, 0 failed',
    ]);
    expect(code).toBe(130);
  });

  it('makes no request where it names COMPACT_X2, as the README does', async () => {
    const [first = ''] = /npx hiresfix upscale docs.*/.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect(first).toContain('--upscaler COMPACT_X2');
    const { code, stderr } = await run(['--upscaler', 'COMPACT_X2']);
    expect([code, stderr, mirror.requests.length]).toEqual([0, '', 0]);
  });
});
