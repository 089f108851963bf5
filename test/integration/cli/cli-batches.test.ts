import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, lstat, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { CommandLine } from '../../support/command-line.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SLOW = 120_000;
const PICTURE = writePng(gradient({ width: 30, height: 20, channels: 3, depth: 8 }));

let commandLine: CommandLine;
let folder: TemporaryFolder;

beforeAll(async () => {
  commandLine = await CommandLine.build();
});
afterAll(() => commandLine.remove());
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(at('in'));
  await writeFile(at('in/a.png'), PICTURE);
});
afterEach(() => folder.remove());

const at = (name: string): string => join(folder.path, name);
const run = (...args: readonly string[]) =>
  commandLine.run(['upscale', ...args, '-u', 'NEAREST'], { cwd: folder.path });

const piped = (input: Buffer, ...args: readonly string[]) =>
  commandLine.pipe(['upscale', ...args, '-u', 'NEAREST'], { cwd: folder.path, input });

describe('a folder of pictures', () => {
  it(
    'is done but for what fails, which a table tells, and what is left out is named; a second run makes the rest',
    async () => {
      const files = { 'b.gif': PICTURE, 'a.gif': PICTURE, 'bad.png': 'a text', 'c.bmp': '', '.d.png': PICTURE };
      for (const [name, bytes] of Object.entries(files)) await writeFile(at(`in/${name}`), bytes);
      const first = await run('in', '-o', 'in');
      expect(first.stderr.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
        `hiresfix: left out, 1 of kinds that are not read (1 BMP): ${at('in/c.bmp')}`,
        `hiresfix: left out, 1 hidden: ${at('in/.d.png')}`,
        'failed code why',
        expect.stringMatching(
          /^in\/a\.png ERR_FILE_EXISTS .*a\.gif and .*a\.png would both become .*a_upscaled\.png: /,
        ),
        expect.stringMatching(/^in\/bad\.png ERR_BAD_IMAGE expected JPEG, .* got a text file$/),
        'hiresfix: 2 of 4 images failed',
        '',
      ]);
      expect([first.code, first.stdout.trim().split('\n').length]).toEqual([1, 2]);
      expect(await folder.files()).toEqual(
        ['.d', 'a', 'a_upscaled', 'b_upscaled', 'bad']
          .map((name) => `in/${name}.png`)
          .concat(['a.gif', 'b.gif', 'c.bmp'].map((name) => `in/${name}`))
          .sort(),
      );

      const made = (await stat(at('in/a_upscaled.png'))).mtimeMs;
      await writeFile(at('in/bad.png'), PICTURE);
      const second = await run('in', '-o', 'in', '--skip-existing', '--json');
      const told = JSON.parse(second.stdout) as Record<string, readonly Record<string, string>[]>;
      expect(told['results']?.map(({ output }) => output)).toEqual([at('in/bad_upscaled.png')]);
      expect(told['skipped']).toEqual(
        ['a', 'b'].map((name) => ({ input: at(`in/${name}.gif`), output: at(`in/${name}_upscaled.png`) })),
      );
      expect(told['failed']?.map(({ input, code }) => [input, code])).toEqual([[at('in/a.png'), 'ERR_FILE_EXISTS']]);
      expect(told['left_out']?.map(({ path, reason }) => `${path?.slice(at('in/').length)} ${reason}`).sort()).toEqual([
        ...['.d.png hidden', 'a_upscaled.png result', 'b_upscaled.png result', 'c.bmp not_read'],
      ]);
      expect([second.code, (await stat(at('in/a_upscaled.png'))).mtimeMs]).toEqual([1, made]);

      const third = await run('in/b.gif', 'in/bad.png', '-o', 'in', '--skip-existing');
      expect(third).toEqual({
        code: 0,
        stdout: '',
        stderr: 'hiresfix: 2 of 2 images skipped, their results are there\n',
      });
    },
    SLOW,
  );

  it(
    'is refused, before any work, where the output is the name of no picture',
    async () => {
      for (const [output, line] of [
        [
          'new.tga',
          /TGA cannot be written, got new\.tga; expected png, jpg, webp, avif, tiff, or a folder: new\.tga\//,
        ],
        ['', /--output: expected a file or a folder, got an empty text/],
      ] as const) {
        const end = await run('in/a.png', '-o', output);
        expect([end.code, end.stdout, end.stderr]).toEqual([2, '', expect.stringMatching(line)]);
      }
      expect(await folder.files()).toEqual(['in/a.png']);
    },
    SLOW,
  );

  it(
    'keeps links, and the permissions of files that are overwritten',
    async () => {
      await mkdir(at('private'));
      await writeFile(at('private/real.png'), 'old', { mode: 0o600 });
      await symlink('private/real.png', at('link.png'));
      expect(await run('in/a.png', '-o', 'link.png', '--overwrite')).toMatchObject({ code: 0 });
      expect((await lstat(at('link.png'))).isSymbolicLink()).toBe(true);
      expect(readPng(readFileSync(at('private/real.png'))).width).toBe(60);
      expect((await stat(at('private/real.png'))).mode & 0o777).toBe(0o600);
    },
    SLOW,
  );
});

describe('a pipe', () => {
  it(
    'is a picture in and a picture out, and nothing else on stdout',
    async () => {
      const { code, stdout, stderr } = await piped(PICTURE, '-', '-o', '-', '--format', 'jpeg');
      expect([code, stderr]).toEqual([0, '']);
      expect(await sharp(stdout).metadata()).toMatchObject({ format: 'jpeg', width: 60, height: 40 });

      const named = await piped(PICTURE, '-', '-o', 'out');
      expect([named.code, String(named.stdout)]).toEqual([
        0,
        expect.stringMatching(/out\/stdin_upscaled\.png {2}30x20/),
      ]);
      expect(readPng(readFileSync(at('out/stdin_upscaled.png'))).width).toBe(60);

      const substituted = spawnSync(
        'bash',
        ['-c', `"${process.execPath}" "${commandLine.main}" upscale <(cat in/a.png) -o sub.png -u NEAREST`],
        { cwd: folder.path, env: { PATH: process.env['PATH'] } },
      );
      expect([substituted.status, readPng(readFileSync(at('sub.png'))).width]).toEqual([0, 60]);
    },
    SLOW,
  );

  it(
    'that nobody reads leaves no picture behind',
    async () => {
      const before = await folder.files();
      const { code, stderr } = await commandLine.pipe(['upscale', '-', '-o', '-', '-u', 'NEAREST'], {
        cwd: folder.path,
        env: { TMPDIR: folder.path },
        input: PICTURE,
        onStart: ({ stdout }) => stdout?.destroy(),
      });
      expect([code, stderr]).toEqual([1, '']);
      expect(await folder.files()).toEqual(before);
    },
    SLOW,
  );

  it(
    'says by stderr and exit codes alone what is wrong',
    async () => {
      const ends = await Promise.all([
        piped(Buffer.from('a text'), '-', '-o', '-'),
        piped(PICTURE, '-', '-o', '-', '--json'),
        piped(PICTURE, '-', 'in/a.png', '-o', '-'),
      ]);
      expect(ends.map(({ code, stdout, stderr }) => [code, stdout.length, stderr])).toEqual([
        [1, 0, expect.stringMatching(/^hiresfix: stdin: expected JPEG, .* got a text file\n$/)],
        [2, 0, expect.stringMatching(/--json: does not go/)],
        [2, 0, expect.stringMatching(/--output -: expected one picture, got 2/)],
      ]);
    },
    SLOW,
  );
});

describe('what is told', () => {
  it(
    'obeys no name of a file: what a terminal would do is spelt out',
    async () => {
      await writeFile(at('in/\x1b]0;mine\x07.png'), PICTURE);
      await writeFile(at('in/bad\n\x1b[2K.png'), 'a text');
      await writeFile(at('in/left\x1b[8m.bmp'), '');
      const both = await run('in', '-o', 'out');
      const one = await run('in/bad\n\x1b[2K.png', '-o', 'out');
      const dry = await run('in', '-o', 'dry', '--dry-run');
      const told = [both, one, dry].map(({ stdout, stderr }) => stdout + stderr).join('');
      expect(told.replaceAll('\n', '')).toMatch(/^\P{Cc}+$/u);
      expect(both.stdout).toContain('out/\\u{1b}]0;mine\\u{7}_upscaled.png  30x20');
      expect(both.stderr.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
        expect.stringContaining('left\\u{1b}[8m.bmp'),
        'failed code why',
        expect.stringMatching(/^in\/bad\\u\{a\}\\u\{1b\}\[2K\.png ERR_BAD_IMAGE expected JPEG/),
        'hiresfix: 1 of 3 images failed',
        '',
      ]);
    },
    SLOW,
  );

  (existsSync('/dev/full') ? it : it.skip)(
    'is missed in one line where stdout has no room',
    () => {
      const command = `"${process.execPath}" "${commandLine.main}" upscale in/a.png -u NEAREST`;
      for (const output of ['out', '-']) {
        const { status, stderr } = spawnSync('sh', ['-c', `${command} -o ${output} > /dev/full`], {
          cwd: folder.path,
          env: { PATH: process.env['PATH'], TMPDIR: folder.path },
        });
        expect([status, String(stderr)]).toEqual([
          1,
          expect.stringMatching(/^hiresfix: stdout cannot be written \(ENOSPC: .*\)\n$/),
        ]);
      }
    },
    SLOW,
  );
});

describe('--watch', () => {
  it(
    'makes what is there and what comes, once it is written, survives a bad file, and ends by Ctrl-C with 130',
    async () => {
      await mkdir(at('out'));
      const large = writePng(gradient({ width: 300, height: 200, channels: 3, depth: 8 }));
      const isMade = async (name: string): Promise<void> => {
        while (!existsSync(at(`out/${name}`))) await sleep(20);
      };
      const end = await commandLine.run(['upscale', 'in', '-o', 'out', '-u', 'NEAREST', '--watch'], {
        cwd: folder.path,
        onStart: (child) => {
          void (async () => {
            await isMade('a_upscaled.png');
            await writeFile(at('in/bad.png'), 'a text');
            await mkdir(at('in/sub'));
            for (let part = 0; part < 6; part++) {
              const step = Math.ceil(large.length / 6);
              await appendFile(at('in/sub/slow.png'), large.subarray(part * step, (part + 1) * step));
              await sleep(400);
            }
            await isMade('sub/slow_upscaled.png');
            await writeFile(at('in/bad.png'), PICTURE);
            await isMade('bad_upscaled.png');
            child.kill('SIGINT');
          })();
        },
      });
      expect(end.stderr.split('\n')).toEqual([
        'hiresfix: watching in for pictures; Ctrl-C ends',
        expect.stringMatching(/^failed/),
        expect.stringMatching(/^in\/bad\.png +ERR_BAD_IMAGE +expected JPEG, .* got a text file$/),
        'hiresfix: stopped watching: 3 made, 0 there already, 1 failed',
        '',
      ]);
      expect([end.code, end.stdout.trim().split('\n').length]).toEqual([130, 3]);
      expect(readPng(readFileSync(at('out/sub/slow_upscaled.png'))).width).toBe(600);
    },
    SLOW,
  );

  it(
    'refuses what cannot be watched, before any work',
    async () => {
      const ends = await Promise.all([
        run('in/a.png', '-o', 'out', '--watch'),
        run('in', '-o', '-', '--watch'),
        run('in', '-o', 'out', '--watch', '--scale', '0'),
      ]);
      expect(ends.map(({ code, stderr }) => [code, stderr.trim()])).toEqual([
        [2, 'hiresfix: --watch: expected folders, in/a.png is none'],
        [2, 'hiresfix: --watch: does not go with pipes'],
        [2, 'hiresfix: --scale: must be a number above 0, got "0"'],
      ]);
    },
    SLOW,
  );
});
