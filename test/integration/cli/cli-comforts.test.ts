import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Setting } from '../../../app/cli/settings.ts';
import { CommandLine } from '../../support/command-line.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let commandLine: CommandLine;
let folder: TemporaryFolder;

beforeAll(async () => {
  commandLine = await CommandLine.build();
});
afterAll(() => commandLine.remove());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe('hiresfix config', () => {
  const DOT_ENV =
    'PORT=8123\nDEVICE=mps\nTILE=64\nAPI_KEY=first-key-of-ours,second-key-of-ours\nMODEL_MIRROR=http://me:word@mirror.test/models\n';
  const ENV = { DEVICE: 'cpu', TILE: '', WEBHOOK_SECRET: 'whsec_c2VjcmV0IG9mIG91cnM=' };
  const config = (args: readonly string[], env: Readonly<Record<string, string>> = ENV) =>
    commandLine.run(['config', ...args], { cwd: folder.path, env });

  it('tells each setting, its value and who said so', async () => {
    await writeFile(join(folder.path, '.env'), DOT_ENV);
    const { code, stdout } = await config(['--json']);
    expect(code).toBe(0);
    const told = new Map((JSON.parse(stdout) as Setting[]).map((one) => [one.name, [one.value, one.source]]));
    expect(told.get('PORT')).toEqual([8123, '.env']);
    expect(told.get('DEVICE')).toEqual(['cpu', 'environment']); // which goes before the file
    expect(told.get('TILE')).toEqual(['auto', 'default']); // emptied
    expect(told.get('MAX_QUEUE')).toEqual([100, 'default']);
    expect(told.get('UPLOAD_FOLDER')).toEqual([join(folder.path, 'temp_uploads'), 'default']);
    expect(told.get('REDIS_URL')).toEqual([null, 'default']);
  });

  it('shows no secret, neither as text nor as JSON', async () => {
    await writeFile(join(folder.path, '.env'), DOT_ENV);
    const [text, json] = [await config([]), await config(['--json'])];
    expect(text.stdout).toMatch(/^API_KEY +\*\*\* +\.env$/m);
    expect(text.stdout).toMatch(/^WEBHOOK_SECRET +\*\*\* +environment$/m);
    expect(text.stdout).toContain('http://***@mirror.test/models');
    for (const { stdout, stderr } of [text, json]) expect(stdout + stderr).not.toMatch(/of-ours|whsec_|word/);
  });

  it('reads the file as Windows writes it, and takes a folder of that name for what it is', async () => {
    const text = 'API_KEY=first-key-of-ours\r\nPORT=8123\r\n';
    const little = Buffer.from(`\ufeff${text}`, 'utf16le');
    for (const bytes of [Buffer.from(`\ufeff${text}`), little, Buffer.from(little).swap16()]) {
      await writeFile(join(folder.path, '.env'), bytes);
      const { stdout } = await config([]);
      expect(stdout).toMatch(/^PORT +8123 +\.env$/m);
      expect(stdout).toMatch(/^API_KEY +\*\*\* +\.env$/m); // missed, it would leave the service open
    }
    await rm(join(folder.path, '.env'));
    await mkdir(join(folder.path, '.env'));
    expect(await config([])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PORT +8001 +default$/m) });
  });

  it('names a bad value in one line', async () => {
    const { code, stderr } = await config([], { PORT: '99999' });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^hiresfix: Bad configuration: PORT: .*99999"\n$/)]);
  });
});

describe('hiresfix completion', () => {
  /** What bash offers, with the script sourced as its users do, once each line was typed up to its end. */
  async function offered(lines: readonly (readonly string[])[]): Promise<readonly (readonly string[])[]> {
    const typed = lines.map((words) => `offer ${words.map((word) => `'${word}'`).join(' ')}`).join('\n');
    const script = `source <("$NODE" "$MAIN" completion bash)
offer() {
  COMP_WORDS=(hiresfix "$@"); COMP_CWORD=$#
  "$(complete -p hiresfix | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
  echo "\${COMPREPLY[@]}"
}
${typed}`;
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script], {
      cwd: folder.path,
      env: { PATH, NODE: process.execPath, MAIN: commandLine.main },
    });
    return stdout.split('\n').map((line) => line.split(' '));
  }

  it('offers commands, flags, the values of flags and files, in a bash that runs it', async () => {
    await writeFile(join(folder.path, 'photo.png'), '');
    const [commands, below, flags, values, listed, files, shells] = await offered([
      ['up'],
      ['models', 'in'],
      ['upscale', 'photo.png', '--face-m'],
      ['upscale', 'photo.png', '--face-model', ''],
      ['colorize', '--format', 'p'],
      ['upscale', 'ph'],
      ['completion', ''],
    ]);
    expect(commands).toEqual(['upscale']);
    expect(below).toEqual(['inspect']);
    expect(flags).toEqual(['--face-model']);
    expect(values).toEqual(['gfpgan', 'codeformer', 'restoreformer']);
    expect(listed).toEqual(['png']);
    expect(files).toEqual(['photo.png']);
    expect(shells?.slice(0, 3)).toEqual(['bash', 'zsh', 'fish']);
  });

  it.each(['zsh', 'fish'])('tells %s all commands and flags that the help of the program has', async (shell) => {
    const { stdout } = await commandLine.run(['completion', shell], { cwd: folder.path });
    for (const name of ['upscale', 'face', 'restore', 'colorize', 'models', 'config', 'serve', 'optimize']) {
      expect(stdout).toContain(name);
    }
    for (const word of ['face-model', 'overwrite', 'render-factor']) expect(stdout).toContain(word);
    expect(stdout).toContain('gfpgan codeformer restoreformer');
  });

  it('refuses a shell that it has no script for', async () => {
    const { code, stderr } = await commandLine.run(['completion', 'tcsh'], { cwd: folder.path });
    expect([code, stderr]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
  });
});
