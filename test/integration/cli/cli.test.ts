import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import { writeSafetensors } from '../../../app/checkpoints/safetensors-writer.ts';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import { childProcesses } from '../../support/child-processes.ts';
import type { CommandEnd, CommandPlace } from '../../support/command-line.ts';
import { CommandLine } from '../../support/command-line.ts';
import { metadataBomb, pixelBomb } from '../../support/images/hostile-images.ts';
import { gradient } from '../../support/images/images.ts';
import { readPng, writePng } from '../../support/images/png.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { scratchFolders } from '../../support/upscale-task.ts';

const BUNDLED = fileURLToPath(new URL('../../../models/compact-x2.safetensors', import.meta.url));
const READERS = fileURLToPath(new URL('../../fixtures/readers/', import.meta.url));
/** Starting a process takes half a second, and other tests share the machine. */
const SLOW = 120_000;

interface UpscaleDocument {
  readonly results: readonly {
    readonly input: string;
    readonly output: string;
    readonly bytes: number;
    readonly info: Readonly<Record<string, unknown>>;
  }[];
  readonly failed: readonly { readonly input: string; readonly code: string; readonly message: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

let folder: TemporaryFolder;
let commandLine: CommandLine;

beforeAll(async () => {
  commandLine = await CommandLine.build();
});

afterAll(() => commandLine.remove());

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  for (const place of ['.', ...(await folders())]) expect(scratchFolders(join(folder.path, place))).toEqual([]);
  await folder.remove();
});

async function folders(): Promise<string[]> {
  const entries = await readdir(folder.path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.path.length));
}

const run = (args: readonly string[], place: Partial<CommandPlace> = {}): Promise<CommandEnd> =>
  commandLine.run(args, { cwd: folder.path, ...place });
const at = (name: string): string => join(folder.path, name);

async function picture(name: string, width: number, height: number): Promise<void> {
  await mkdir(join(at(name), '..'), { recursive: true });
  await writeFile(at(name), writePng(gradient({ width, height, channels: 3, depth: 8 })));
}

function sizeOf(name: string): string {
  const { width, height } = readPng(readFileSync(at(name)));
  return `${width}x${height}`;
}

/** What every refusal is: nothing on stdout, one line on stderr. */
function refusal({ code, stdout, stderr }: CommandEnd): { code: number | null; line: string } {
  expect([stdout, stderr.split('\n').length, stderr.endsWith('\n')]).toEqual(['', 2, true]);
  return { code, line: stderr.trimEnd() };
}

describe('hiresfix', () => {
  it(
    'fails in one line where the faces are the job and a model is missing, and does without it where that is asked for',
    async () => {
      await picture('a.png', 16, 12);
      const cases: readonly [args: readonly string[], code: number][] = [
        [['face'], 1],
        [['face', '--no-strict'], 0],
        [['restore', '--steps', 'face'], 1],
        [['restore', '--steps', 'face', '--no-strict'], 0],
        [['upscale', '-u', 'LANCZOS', '--face-restoration', '--strict'], 1],
        [['upscale', '-u', 'LANCZOS', '--face-restoration'], 0],
      ];
      const place = { env: { MODELS_DIR: at('none') } };
      const ends = await Promise.all(
        cases.map(([args], index) => run([...args, 'a.png', '-o', `out-${index}.png`], place)),
      );
      cases.forEach(([args, code], index) => {
        const end = ends[index];
        expect([args, end?.code, existsSync(at(`out-${index}.png`))]).toEqual([args, code, code === 0]);
        expect(`${end?.stdout}${end?.stderr}`).toMatch(
          /The model retinaface-resnet50 is not installed: .* Download https:.* as detection_Resnet50_Final\.pth/,
        );
        if (end && code === 1) expect(refusal(end).line).toMatch(/^hiresfix: The model /);
      });
    },
    SLOW,
  );

  it(
    'says how it is used',
    async () => {
      const [help, upscale, models, version, nothing, unknown] = await Promise.all(
        [['--help'], ['upscale', '--help'], ['models', '--help'], ['--version'], [], ['enlarge']].map((args) =>
          run(args),
        ),
      );
      expect(help).toMatchObject({ code: 0, stderr: '' });
      for (const command of ['upscale', 'face', 'faces', 'restore', 'colorize', 'models', 'serve'])
        expect(help?.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
      const flags =
        'output upscaler scale width height tile tile-pad pre-pad denoise-strength device format quality lossless no-lossless frames metadata suffix overwrite skip-existing watch dry-run server json';
      for (const flag of flags.split(' ')) expect(upscale?.stdout).toMatch(new RegExp(`--${flag}\\b`));
      const onPictures = await Promise.all(
        ['face', 'faces', 'restore', 'colorize'].map((name) => run([name, '--help'])),
      );
      for (const { stdout } of onPictures)
        expect(stdout).toMatch(/--server <url>[^]*--json[^]*Examples:\n {2}hiresfix /);
      expect(models?.stdout).toMatch(/list[^]*inspect[^]*run/);
      expect(version?.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect([nothing?.code, nothing?.stdout]).toEqual([2, '']);
      expect(nothing?.stderr).toContain('Usage: hiresfix');
      expect([unknown?.code, unknown?.stderr]).toEqual([2, expect.stringContaining("unknown command 'enlarge'")]);
    },
    SLOW,
  );

  it(
    'exits with 2 for bad usage, and says in one line what',
    async () => {
      await picture('a.png', 4, 4);
      const usages: [args: string[], line: RegExp, env?: Record<string, string>][] = [
        [['upscale', 'a.png'], /required option '-o, --output <path>' not specified/],
        [['upscale', 'a.png', '-o', 'b.png', '--colour'], /unknown option '--colour'/],
        [
          ['upscale', 'a.png', '-o', 'b.png', '--device', 'gpu'],
          /'gpu' is invalid. Allowed choices are auto, cuda, mps, cpu/,
        ],
        [['upscale', 'lost.png', '-o', 'b.png'], /^hiresfix: lost\.png: no such file/],
        [
          ['upscale', 'a.png', '-o', 'b.png', '--scale', '-1'],
          /^hiresfix: --scale: must be a number above 0, got "-1"/,
        ],
        [
          ['upscale', 'a.png', '-o', 'b.png', '--scale', 'NaN'],
          /^hiresfix: --scale: must be a number above 0, got "NaN"/,
        ],
        [['upscale', 'a.png', '-o', 'b.png', '--server', 'here'], /^hiresfix: --server: expected a URL .* got "here"/],
        [
          ['upscale', 'a.png', '-o', 'b.png'],
          /^hiresfix: Bad configuration: DEVICE: .*"x"; TILE: .*"y"\n$/,
          { DEVICE: 'x', TILE: 'y', PORT: 'read by serve alone' },
        ],
        [
          ['upscale', 'a.png', '-o', 'b.png', '-u', './lost.pth'],
          /^hiresfix: --upscaler: there is no file \.\/lost\.pth/,
        ],
        [['faces'], /missing required argument 'input'/],
        [['faces', 'a.png', '--face-model', 'realesrgan'], /'realesrgan' is invalid. Allowed choices are gfpgan/],
        [['faces', 'a.png', '--server', 'ftp://here'], /^hiresfix: --server: expected a URL .* got "ftp:\/\/here"/],
        [
          ['face', 'a.png', '-o', 'b.png', '--faces', 'first'],
          /^hiresfix: --faces: must be whole numbers from 0, comma/,
        ],
        [['models', 'inspect', 'lost.pth'], /^hiresfix: lost\.pth: there is no such file/],
        [['serve', '--port', '99999'], /^hiresfix: --port: expected a whole number from 0 to 65535, got "99999"/],
      ];
      const ends = await Promise.all(usages.map(([args, , env]) => run(args, env ? { env } : {})));
      usages.forEach(([args, line], index) => {
        const end = ends[index];
        expect([args, end?.code, end?.stdout]).toEqual([args, 2, '']);
        expect(end?.stderr).toMatch(line);
        expect(end?.stderr.trim().split('\n')).toHaveLength(1);
      });
      expect(await folder.files()).toEqual(['a.png']);
    },
    SLOW,
  );
});

describe('hiresfix upscale', () => {
  it(
    'makes the file that was named, by scale or size, in the format of its name, and says what it did',
    async () => {
      await picture('a.png', 30, 20);
      const [scaled, sized, jpeg] = await Promise.all([
        run(['upscale', 'a.png', '-o', 'deep/out.png', '-u', 'lanczos', '-s', '2.5']),
        run(['upscale', 'a.png', '-o', 'wide.png', '-u', 'NEAREST', '--width', '45', '--json']),
        run([
          'upscale',
          'a.png',
          '-o',
          'out.jpg',
          '-u',
          'NEAREST',
          '--width',
          '9',
          '--height',
          '50',
          '--quality',
          '80',
        ]),
      ]);
      expect([scaled.code, scaled.stderr]).toEqual([0, '']);
      expect(scaled.stdout).toMatch(/^\/.*deep\/out\.png {2}30x20 -> 75x50, LANCZOS, [\d.]+ s\n$/);
      expect(sizeOf('deep/out.png')).toBe('75x50');

      const document = JSON.parse(sized.stdout) as UpscaleDocument;
      expect([sized.code, sized.stderr, document.failed]).toEqual([0, '', []]);
      expect(document.results).toMatchObject([
        {
          input: at('a.png'),
          output: at('wide.png'),
          info: { upscaler: 'NEAREST', output: { width: 45, height: 30 } },
        },
      ]);
      expect(document.results[0]?.bytes).toBe(readFileSync(at('wide.png')).length);

      expect(jpeg.code).toBe(0);
      expect(await sharp(readFileSync(at('out.jpg'))).metadata()).toMatchObject({
        format: 'jpeg',
        width: 9,
        height: 50,
      });
    },
    SLOW,
  );

  it(
    'takes folders, patterns and files, keeps trees, and puts what it likes behind names',
    async () => {
      for (const name of ['in/a.png', 'in/sub/b.PNG', 'more/c.png', 'more/notes.txt']) await picture(name, 6, 4);
      const [tree, pattern, bare] = await Promise.all([
        run(['upscale', 'in', '-o', 'tree', '-u', 'NEAREST']),
        run(['upscale', 'more/*', 'in/a.png', '-o', 'flat', '-u', 'NEAREST', '--suffix', '.4x', '--format', 'webp']),
        run(['upscale', 'in/a.png', '-o', 'bare', '-u', 'NEAREST', '--suffix', '']),
      ]);
      expect([tree.code, pattern.code, bare.code]).toEqual([0, 0, 0]);
      expect((await folder.files()).filter((name) => !/^(in|more)\//.test(name))).toEqual([
        'bare/a.png',
        'flat/a.4x.webp',
        'flat/c.4x.webp',
        'tree/a_upscaled.png',
        'tree/sub/b_upscaled.png',
      ]);
      expect(tree.stdout.trim().split('\n')).toHaveLength(2);
    },
    SLOW,
  );

  it(
    'overwrites nothing unless it may: of several images, those fail whose results are there',
    async () => {
      for (const name of ['a.png', 'b.png']) await picture(name, 6, 4);
      await writeFile(at('out.png'), 'mine');
      await mkdir(at('out'));
      await writeFile(at('out/b_upscaled.png'), 'mine');
      const [file, batch] = await Promise.all([
        run(['upscale', 'a.png', '-o', 'out.png', '-u', 'NEAREST']),
        run(['upscale', 'a.png', 'b.png', '-o', 'out', '-u', 'NEAREST']),
      ]);
      expect(refusal(file)).toMatchObject({
        code: 1,
        line: expect.stringMatching(/out\.png: this file already exists.*--overwrite/),
      });
      expect(batch.code).toBe(1);
      expect(batch.stderr.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
        'failed code why',
        expect.stringMatching(/^b\.png ERR_FILE_EXISTS .*out\/b_upscaled\.png: this file already exists; /),
        'hiresfix: 1 of 2 images failed',
        '',
      ]);
      expect(sizeOf('out/a_upscaled.png')).toBe('12x8');
      expect(await folder.files()).toEqual(['a.png', 'b.png', 'out.png', 'out/a_upscaled.png', 'out/b_upscaled.png']);
      expect(readFileSync(at('out.png'), 'utf8') + readFileSync(at('out/b_upscaled.png'), 'utf8')).toBe('minemine');

      const allowed = await run(['upscale', 'a.png', '-o', 'a.png', '-u', 'NEAREST', '-s', '3', '--overwrite']);
      expect([allowed.code, sizeOf('a.png')]).toEqual([0, '18x12']);
    },
    SLOW,
  );

  it(
    'tells each bad image of a batch in a line, does the others, and exits with 1',
    async () => {
      await picture('good.png', 6, 4);
      const jpeg = await sharp({
        create: {
          width: 200,
          height: 200,
          channels: 3,
          background: 'teal',
          noise: { type: 'gaussian', mean: 128, sigma: 60 },
        },
      })
        .jpeg()
        .toBuffer();
      const bad: Record<string, Buffer | string> = {
        'empty.png': '',
        'cut.jpg': jpeg.subarray(0, 2000),
        'text.png': 'hello, I am text',
        'drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        'huge.png': pixelBomb(),
      };
      for (const [name, bytes] of Object.entries({ ...bad, 'bomb.png': metadataBomb() }))
        await writeFile(at(name), bytes);
      const names = [...Object.keys(bad), 'bomb.png', 'good.png'];
      const { code, stdout, stderr } = await run(['upscale', ...names, '-o', 'out', '-u', 'LANCZOS', '--json']);
      const { results, failed } = JSON.parse(stdout) as UpscaleDocument;

      expect(code).toBe(1);
      expect(results.map(({ input }) => input)).toEqual([at('bomb.png'), at('good.png')]);
      expect(failed.map(({ input, code: error }) => [input, error])).toEqual([
        [at('empty.png'), 'ERR_BAD_IMAGE'],
        [at('cut.jpg'), 'ERR_BAD_IMAGE'],
        [at('text.png'), 'ERR_BAD_IMAGE'],
        [at('drawing.svg'), 'ERR_UNSUPPORTED_IMAGE'],
        [at('huge.png'), 'ERR_IMAGE_TOO_LARGE'],
      ]);
      const expected = 'expected JPEG, PNG, WebP, AVIF, TIFF or GIF, got';
      expect(stderr.trimEnd().split('\n')).toEqual([
        'failed       code                   why',
        `empty.png    ERR_BAD_IMAGE          ${expected} an empty file`,
        expect.stringMatching(/^cut\.jpg +ERR_BAD_IMAGE +.*2000 bytes/),
        `text.png     ERR_BAD_IMAGE          ${expected} a text file`,
        `drawing.svg  ERR_UNSUPPORTED_IMAGE  ${expected} an SVG drawing; convert it first`,
        expect.stringMatching(/^huge\.png .* 40000x40000 is 1600000000 pixels, at most 67108864 are allowed/),
        'hiresfix: 5 of 7 images failed',
      ]);
    },
    SLOW,
  );

  it(
    'names a bad image, or what is asked of a good one, in one line',
    async () => {
      await writeFile(at('text.png'), 'hello, I am text');
      await picture('a.png', 41, 21);
      const tensor = { shape: [2, 2], dtype: 'float32', data: new Float32Array(4) } as const;
      writeCheckpoint(at('foreign.pth'), new Map([['encoder.weight', tensor]]), { format: 'pth-zip' });
      const ask = (...args: string[]) => run(['upscale', 'a.png', '-o', 'out', ...args]);
      const [text, large, unknown, html, foreign, pickle, both, json] = await Promise.all([
        run(['upscale', 'text.png', '-o', 'out', '-u', 'LANCZOS']),
        ask('-u', 'LANCZOS', '-s', '1e9'),
        ask('-u', 'FANCY'),
        ask('-u', join(READERS, 'bad_html.pth')),
        ask('-u', './foreign.pth'),
        ask('-u', join(READERS, 'bad_os_system_reduce.pth')),
        ask('-u', 'LANCZOS', '-s', '2', '--width', '9'),
        ask('-u', 'FANCY', '--json'),
      ]);
      expect(refusal(text)).toEqual({
        code: 1,
        line: expect.stringMatching(/text\.png: expected JPEG.* got a text file$/),
      });
      expect(refusal(large)).toEqual({
        code: 1,
        line: expect.stringMatching(/41000000000 x 21000000000 pixels.*MAX_OUTPUT_PIXELS.*smaller size/),
      });
      expect(refusal(unknown)).toEqual({
        code: 2,
        line: expect.stringMatching(/there is no 'FANCY'\. Known: AUTO, NEAREST.*REALESRGAN_X4PLUS.*COMPACT_X2/),
      });
      expect(refusal(html)).toEqual({
        code: 1,
        line: expect.stringMatching(/bad_html\.pth: this is a web page .*: download the file itself/),
      });
      expect(refusal(foreign)).toEqual({
        code: 1,
        line: expect.stringMatching(
          /foreign\.pth: no network that is known here \(it has 1 tensor: encoder\.weight\)\. Take .*ESRGAN, Compact/,
        ),
      });
      expect(refusal(pickle)).toEqual({ code: 1, line: expect.stringMatching(/bad_os_system_reduce\.pth: .*system/) });
      expect(refusal(both)).toEqual({
        code: 2,
        line: expect.stringMatching(/--scale: must not come with width: give a factor, or the sides, got "2"/),
      });
      expect(json.code).toBe(2);
      expect(JSON.parse(json.stdout)).toMatchObject({
        results: [],
        failed: [],
        error: { code: 'ERR_UNKNOWN_UPSCALER' },
      });
      expect(await folder.files()).toEqual(['a.png', 'foreign.pth', 'text.png']);
    },
    SLOW,
  );

  it(
    'runs any checkpoint that is named by its path, wherever it lies, and in MODELS_DIR by its name',
    async () => {
      await picture('a.png', 20, 10);
      await mkdir(at('models/sub'), { recursive: true });
      await copyFile(BUNDLED, at('models/sub/mine.safetensors'));
      const args = ['upscale', 'a.png', '-u'];
      const [path, name] = await Promise.all([
        run([...args, './models/sub/mine.safetensors', '-o', 'path.png', '--json'], {
          env: { MODELS_DIR: '/nowhere' },
        }),
        run([...args, 'sub/mine.safetensors', '-o', 'name.png', '--tile', '16', '--tile-pad', '4', '--json'], {
          env: { MODELS_DIR: 'models' },
        }),
      ]);
      const infoOf = ({ stdout }: CommandEnd) => (JSON.parse(stdout) as UpscaleDocument).results[0]?.info;
      expect(infoOf(path)).toMatchObject({
        upscaler: 'mine',
        asked_upscaler: 'mine.safetensors',
        native_scale: 2,
        tiles: 1,
      });
      expect(infoOf(name)).toMatchObject({
        upscaler: 'mine',
        asked_upscaler: 'sub/mine.safetensors',
        tiles: 2,
        tile: 16,
        halo: 4,
      });
      expect([sizeOf('path.png'), sizeOf('name.png')]).toEqual(['40x20', '40x20']);
    },
    SLOW,
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'stops at %s with exit code %i, and leaves nothing behind',
    async (signal, code) => {
      await picture('a.png', 900, 900);
      let workers: number[] = [];
      let asked = 0;
      const end = await run(['upscale', 'a.png', '-o', 'out', '-u', 'COMPACT_X2', '--tile', '0'], {
        onStart: (child) => {
          void (async () => {
            while (!existsSync(at('out')) || scratchFolders(at('out')).length === 0 || workers.length === 0) {
              workers = childProcesses(child.pid);
              await new Promise(setImmediate);
            }
            asked = performance.now();
            child.kill(signal);
          })();
        },
      });
      expect(performance.now() - asked).toBeLessThan(2000);
      expect(refusal(end)).toEqual({ code, line: 'hiresfix: the task was cancelled' });
      expect(workers.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
      expect(await folder.files()).toEqual(['a.png']);
    },
    SLOW,
  );
});

describe('hiresfix models', () => {
  it(
    'lists what is known and what is there',
    async () => {
      await mkdir(at('models'));
      await copyFile(BUNDLED, at('models/mine.safetensors'));
      await writeFile(at('models/broken.pth'), 'no checkpoint');
      const env = { MODELS_DIR: 'models' };
      const [text, json] = await Promise.all([
        run(['models', 'list'], { env }),
        run(['models', 'list', '--json'], { env }),
      ]);
      expect([text.code, text.stderr, json.code, json.stderr]).toEqual([0, '', 0, '']);
      const closed = await run(['models', 'list'], { onStart: (child) => child.stdout?.destroy() }); // as `| head` does
      expect(closed).toEqual({ code: 1, stdout: '', stderr: '' });
      expect(text.stdout).toMatch(/^ {2}realesrgan-x4plus +4x +67\.0 MB/m);
      expect(text.stdout).toMatch(/^\* compact-x2 +2x/m);
      const size = `${(statSync(BUNDLED).size / 1e6).toFixed(1)} MB`;
      expect(text.stdout.split('\n').map((line) => line.replace(/ +/g, ' '))).toContain(
        `* mine 2x ${size} by hand Compact`,
      );
      expect(text.stdout).toMatch(/^ {2}gfpgan-1\.4 .*Faces: .*\[Apache-2\.0/m);
      const models = JSON.parse(json.stdout) as readonly Record<string, unknown>[];
      const find = (name: string) => models.find((model) => model['name'] === name);
      expect(find('mine')).toMatchObject({ kind: 'user', scale: 2, architecture: 'Compact', problem: null });
      expect(find('broken')).toMatchObject({ problem: expect.any(String) });
      expect(find('realesrgan-x4plus')).toMatchObject({
        kind: 'official',
        sha256: '4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1',
        size: 67_040_989,
      });
    },
    SLOW,
  );

  it(
    'inspects a checkpoint, and refuses hostile ones in one line without running them',
    async () => {
      const hostile = ['bad_os_system_reduce.pth', 'bad_legacy_os_system.pth', 'bad_html.pth', 'bad_empty.pth'];
      const [text, json, folderEnd, ...refused] = await Promise.all([
        run(['models', 'inspect', BUNDLED]),
        run(['models', 'inspect', BUNDLED, '--json']),
        run(['models', 'inspect', READERS]),
        ...hostile.map((name) => run(['models', 'inspect', join(READERS, name)])),
      ]);
      expect(text.stdout).toMatch(/^architecture +Compact$/m);
      expect(JSON.parse(json.stdout)).toMatchObject({
        architecture: 'Compact',
        scale: 2,
        input_channels: 3,
        output_channels: 3,
        parameters: { upscale: 2, act_type: 'prelu' },
        tensors: expect.any(Number),
        parameter_count: expect.any(Number),
        format: 'safetensors',
      });
      expect(refusal(folderEnd)).toEqual({ code: 2, line: expect.stringMatching(/expected a file, got a folder/) });
      hostile.forEach((name, index) => {
        const end = refused[index];
        if (!end) throw new Error(`${name} was not tried`);
        expect(refusal(end)).toEqual({ code: 1, line: expect.stringMatching(new RegExp(`${name}: `)) });
        expect(end.stderr).not.toMatch(/^PICKLE_EXECUTED/m);
      });
    },
    SLOW,
  );

  it(
    'runs a bare network on a tensor, and says what is wrong with the tensor',
    async () => {
      const input = (shape: readonly number[]) => ({
        shape,
        dtype: 'float32' as const,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % 256) / 255),
      });
      writeSafetensors(at('in.safetensors'), new Map([['input', input([1, 3, 7, 5])]]));
      writeSafetensors(at('gray.safetensors'), new Map([['input', input([1, 1, 7, 5])]]));
      const args = (name: string) => ['models', 'run', BUNDLED, '--input', name, '--output', 'out.safetensors'];
      const [good, gray, lost] = await Promise.all([
        run(args('in.safetensors')),
        run(args('gray.safetensors')),
        run(args('lost.safetensors')),
      ]);
      expect([good.code, good.stderr]).toEqual([0, '']);
      const output = openCheckpoint(at('out.safetensors'));
      expect(output.tensors.get('output')).toMatchObject({ shape: [1, 3, 14, 10], dtype: 'float32' });
      expect(readTensor(output, 'output').every((value) => value > -1 && value < 2)).toBe(true);
      expect(refusal(gray)).toEqual({
        code: 2,
        line: expect.stringMatching(
          /gray\.safetensors: expected a tensor 'input' of shape \[N, 3, H, W\], got \[1, 1, 7, 5\]/,
        ),
      });
      expect(refusal(lost)).toEqual({
        code: 2,
        line: expect.stringMatching(/lost\.safetensors: there is no such file/),
      });
    },
    SLOW,
  );
});

describe('hiresfix serve', () => {
  it(
    'says where it answers, and stops at a signal',
    async () => {
      const env = { HOST: '127.0.0.1', LOG_LEVEL: 'error' };
      const end = await run(['serve', '--port', '0'], {
        env,
        onStart: (child) => {
          if (!child.stdout) return;
          void once(child.stdout, 'data').then(async ([line]) => {
            const url = /http:\S+/.exec(String(line))?.[0] ?? '';
            const { status } = await fetch(`${url}/health/live`);
            child.kill(status === 200 ? 'SIGTERM' : 'SIGKILL');
          });
        },
      });
      expect(end).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^hiresfix answers at http:\/\/127\.0\.0\.1:\d+\n$/),
        stderr: '',
      });
    },
    SLOW,
  );
});
