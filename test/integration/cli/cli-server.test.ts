import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../app/config.ts';
import type { RunningService } from '../../../app/main.ts';
import { startService } from '../../../app/main.ts';
import { childProcesses } from '../../support/child-processes.ts';
import type { CommandEnd } from '../../support/command-line.ts';
import { CommandLine, untilSaid } from '../../support/command-line.ts';
import { gradient, noise } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { eventsProxy } from '../../support/servers/events-proxy.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { scratchFolders } from '../../support/upscale-task.ts';

const SLOW = 120_000;
const KEY = 'a-key-of-the-tests-0123456789';

describe('hiresfix upscale --server', () => {
  let folder: TemporaryFolder;
  let state: TemporaryFolder;
  let service: RunningService;
  let commandLine: CommandLine;

  beforeAll(async () => {
    state = await temporaryFolder();
    commandLine = await CommandLine.build();
    service = await startService(
      loadConfig({
        PORT: '0',
        API_KEY: KEY,
        UPLOAD_FOLDER: join(state.path, 'in'),
        PROCESSED_FOLDER: join(state.path, 'out'),
        MODELS_DIR: join(state.path, 'models'),
        MODEL_DOWNLOADS: 'false',
        FORCE_CPU: 'true',
        MAX_FILE_SIZE_MB: '1',
        LOG_LEVEL: 'error',
      }),
    );
  }, SLOW);

  afterAll(async () => {
    await service.close();
    await commandLine.remove();
    await state.remove();
  }, SLOW);

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    expect(scratchFolders(folder.path)).toEqual([]);
    await folder.remove();
  });

  const at = (name: string): string => join(folder.path, name);
  const run = (
    args: readonly string[],
    place: {
      env?: Record<string, string>;
      server?: string;
      onStart?: (child: ChildProcess) => void;
    } = {},
  ): Promise<CommandEnd> =>
    commandLine.run(['upscale', ...args, '--server', place.server ?? service.url], {
      cwd: folder.path,
      env: { HIRESFIX_API_KEY: KEY, ...place.env },
      ...(place.onStart && { onStart: place.onStart }),
    });
  const picture = (name: string, width: number, height: number): Promise<void> =>
    writeFile(at(name), writePng(gradient({ width, height, channels: 3, depth: 8 })));

  it(
    'watches folders too: makes what is there and what comes, goes on past what is no picture, and ends by Ctrl-C',
    async () => {
      await mkdir(at('inbox'));
      await picture('inbox/a.png', 30, 20);
      const end = await run(['inbox', '-o', 'outbox', '-u', 'NEAREST', '-s', '2', '--watch'], {
        onStart: (child) => {
          void (async () => {
            await untilSaid(child.stdout, 'a_upscaled.png');
            await writeFile(at('inbox/bad.png'), 'a text');
            await untilSaid(child.stderr, 'ERR_BAD_IMAGE');
            await picture('inbox/b.png', 20, 10);
            await untilSaid(child.stdout, 'b_upscaled.png');
            child.kill('SIGINT');
          })();
        },
      });
      expect([end.code, end.stderr.trim().split('\n').at(0), end.stderr.trim().split('\n').at(-1)]).toEqual([
        130,
        'hiresfix: watching inbox for pictures; Ctrl-C ends',
        'hiresfix: stopped watching: 2 made, 0 there already, 1 failed',
      ]);
      expect(['a', 'b'].map((name) => readPng(readFileSync(at(`outbox/${name}_upscaled.png`))).width)).toEqual([
        60, 40,
      ]);
    },
    SLOW,
  );

  it(
    'makes the same files as without, and tells the same of them',
    async () => {
      await picture('a.png', 30, 20);
      const args = ['a.png', '-u', 'LANCZOS', '-s', '2.5', '--metadata', 'strip', '--json', '-o'];
      const [remote, local] = await Promise.all([
        run([...args, 'remote.png']),
        commandLine.run(['upscale', ...args, 'local.png'], { cwd: folder.path }),
      ]);
      expect([remote.code, remote.stderr, local.code]).toEqual([0, '', 0]);
      expect(readFileSync(at('remote.png')).equals(readFileSync(at('local.png')))).toBe(true);
      const [told, expected] = [remote, local].map(
        ({ stdout }) => JSON.parse(stdout) as { results: { info: object }[] },
      );
      expect(told).toMatchObject({ failed: [], results: [{ input: at('a.png'), output: at('remote.png') }] });
      const lasting = ({ results }: { results: { info: object }[] }) => ({ ...results[0]?.info, seconds: undefined });
      expect(told && lasting(told)).toEqual(expected && lasting(expected));
    },
    SLOW,
  );

  it(
    'names files as without, in the format that came of it, and overwrites nothing',
    async () => {
      await mkdir(at('in'));
      for (const name of ['in/a.png', 'in/b.png']) await picture(name, 8, 6);
      const { code, stdout } = await run(['in', '-o', 'out', '-u', 'NEAREST', '--format', 'webp', '--suffix', '_x']);
      expect([code, stdout.trim().split('\n').length]).toEqual([0, 2]);
      expect(await folder.files()).toEqual(['in/a.png', 'in/b.png', 'out/a_x.webp', 'out/b_x.webp']);
      const again = await run(['in', '-o', 'out', '-u', 'NEAREST', '--format', 'webp', '--suffix', '_x']);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('a_x.webp: this file already exists')]);
    },
    SLOW,
  );

  it(
    'turns problems into one line, with the exit code that they would have here',
    async () => {
      await picture('a.png', 8, 6);
      await writeFile(at('text.png'), 'hello, I am text');
      await writeFile(at('large.png'), writePng(noise({ width: 900, height: 600, channels: 3, depth: 8 })));
      const stranger = createServer((_request, response) => response.writeHead(404).end('<html>nothing here</html>'));
      stranger.listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const foreign = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
      const cases: [args: string[], code: number, line: RegExp, place?: Parameters<typeof run>[1]][] = [
        [['text.png', '-o', 'out', '-u', 'LANCZOS'], 1, /text\.png: expected JPEG.* got a text file$/],
        [['large.png', '-o', 'out', '-u', 'LANCZOS'], 1, /large\.png: .*MAX_FILE_SIZE_MB|large\.png: .*1048576/],
        [['a.png', '-o', 'out', '-u', 'FANCY'], 2, /there is no 'FANCY'\. Known: AUTO/],
        [['a.png', '-o', 'out', '-u', 'x4plus'], 1, /realesrgan-x4plus is not installed/],
        [['a.png', '-o', 'out', '-s', '0'], 2, /--scale: must be a number above 0, got "0"/],
        [
          ['a.png', '-o', 'out'],
          1,
          /: the API key in HIRESFIX_API_KEY is not one/,
          { env: { HIRESFIX_API_KEY: 'wrong' } },
        ],
        [
          ['a.png', '-o', 'out'],
          1,
          /: the service asks for an API key: set HIRESFIX_API_KEY/,
          { env: { HIRESFIX_API_KEY: '' } },
        ],
        [
          ['a.png', '-o', 'out'],
          1,
          /http:\/\/127\.0\.0\.1:9\/: the service cannot be reached/,
          { server: 'http://127.0.0.1:9' },
        ],
        [['a.png', '-o', 'out'], 1, /expected a hiresfix service, got 404/, { server: foreign }],
        [['a.png', '-o', 'out'], 2, /--server: expected a URL without a user/, { server: 'http://me:key@127.0.0.1' }],
      ];
      const ends = await Promise.all(cases.map(([args, , , place]) => run(args, place)));
      stranger.close();
      cases.forEach(([args, code, line], index) => {
        const end = ends[index];
        expect([args, end?.code, end?.stdout, end?.stderr.trim().split('\n').length]).toEqual([args, code, '', 1]);
        expect(end?.stderr.trim()).toMatch(line);
      });
      expect(await folder.files()).toEqual(['a.png', 'large.png', 'text.png']);
    },
    SLOW,
  );

  it(
    'goes on with the other images of a batch where one is bad',
    async () => {
      await picture('a.png', 8, 6);
      await writeFile(at('bad.png'), 'hello, I am text');
      const { code, stdout, stderr } = await run(['bad.png', 'a.png', '-o', 'out', '-u', 'NEAREST', '--json']);
      expect([code, stderr.trim().split('\n').at(-1)]).toEqual([1, 'hiresfix: 1 of 2 images failed']);
      expect(JSON.parse(stdout)).toMatchObject({
        results: [{ input: at('a.png'), output: at('out/a_upscaled.png') }],
        failed: [{ input: at('bad.png'), code: 'ERR_BAD_IMAGE' }],
      });
      expect(readPng(readFileSync(at('out/a_upscaled.png'))).width).toBe(16);
    },
    SLOW,
  );

  it(
    'follows the events of a job, and asks for it where they break off or cannot be had',
    async () => {
      await picture('a.png', 300, 200);
      const files: Buffer[] = [];
      const faults = ['none', 'refused', 'cut once', 'cut always'] as const;
      const [direct, refused, cutOnce, cutAlways] = await Promise.all(
        faults.map(async (fault) => {
          const proxy = await eventsProxy(service.url, fault);
          const out = `${fault.replace(' ', '-')}.png`;
          const { code, stderr } = await run(['a.png', '-o', out, '-u', 'COMPACT_X2'], { server: proxy.url });
          proxy.close();
          expect([fault, code, stderr]).toEqual([fault, 0, '']);
          files.push(readFileSync(at(out)));
          return proxy.requests;
        }),
      );
      expect(files.map((file) => file.equals(files[0] ?? Buffer.of()))).toEqual(faults.map(() => true));
      expect(direct).toEqual(['POST /jobs', 'GET /jobs/*/events', 'GET /jobs/*/results/0']);
      const looks = (requests: readonly string[] = []) => requests.filter((one) => one === 'GET /jobs/*').length;
      const streams = (requests: readonly string[] = []) => requests.filter((one) => one.endsWith('/events')).length;
      expect([streams(refused), looks(refused) > 0]).toEqual([1, true]);
      expect([streams(cutOnce) <= 2, looks(cutOnce)]).toEqual([true, 1]);
      expect(looks(cutAlways)).toBeGreaterThan(0);
    },
    SLOW,
  );

  it(
    'skips what is done, makes pictures of pipes, and fails one picture for which the disk has no room',
    async () => {
      await mkdir(at('out'));
      for (const name of ['a.png', 'b.png']) await picture(name, 8, 6);
      await picture('out/b_upscaled.png', 16, 12);
      const skipping = await run(['a.png', 'b.png', '-o', 'out', '-u', 'NEAREST', '--skip-existing']);
      expect([skipping.code, skipping.stderr]).toEqual([
        0,
        'hiresfix: 1 of 2 images skipped, their results are there\n',
      ]);

      const piped = (input: Buffer) =>
        commandLine.pipe(['upscale', '-', '-o', '-', '-u', 'NEAREST', '--server', service.url], {
          ...{ cwd: folder.path, env: { HIRESFIX_API_KEY: KEY }, input },
        });
      const made = await piped(readFileSync(at('a.png')));
      expect([made.code, made.stderr]).toEqual([0, '']);
      expect(made.stdout.equals(readFileSync(at('out/a_upscaled.png')))).toBe(true);
      const refused = await piped(Buffer.from('hello, I am text'));
      expect([refused.code, refused.stdout.length, refused.stderr]).toEqual([
        1,
        0,
        expect.stringMatching(/^hiresfix: stdin: expected JPEG.* got a text file\n$/),
      ]);

      const disk = mountSmallDisk(1 << 16);
      if (!disk) return; // it takes root
      try {
        await writeFile(at('large.png'), writePng(noise({ width: 200, height: 200, channels: 3, depth: 8 })));
        const full = await run(['large.png', 'a.png', '-o', disk.directory, '-u', 'NEAREST', '--json']);
        expect([full.code, JSON.parse(full.stdout)]).toMatchObject([
          1,
          { failed: [{ code: 'ERR_SCRATCH_SPACE' }], results: [{ output: join(disk.directory, 'a_upscaled.png') }] },
        ]);
      } finally {
        disk.unmount();
      }
    },
    SLOW,
  );

  it(
    'cancels the job of a command that is stopped',
    async () => {
      await picture('a.png', 700, 500);
      const jobs = async (): Promise<{ status: string; stage: string }[]> => {
        const response = await fetch(`${service.url}/jobs?limit=1`, { headers: { 'X-API-KEY': KEY } });
        return ((await response.json()) as { jobs: { status: string; stage: string }[] }).jobs;
      };
      const end = await run(['a.png', '-o', 'out', '-u', 'COMPACT_X2', '--tile', '0'], {
        onStart: (child) => {
          void (async () => {
            while ((await jobs())[0]?.stage !== 'upscaling') await new Promise(setImmediate);
            child.kill('SIGINT');
          })();
        },
      });
      expect([end.code, end.stderr]).toEqual([130, 'hiresfix: the task was cancelled\n']);
      expect((await jobs())[0]?.status).toBe('cancelled');
      expect(existsSync(at('out/a_upscaled.png'))).toBe(false);
    },
    SLOW,
  );

  it('leaves no process behind', async () => {
    await service.close();
    expect(childProcesses()).toEqual([]);
  });
});
