import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import type { BuiltProgram } from '../support/built-program.ts';
import { buildProgram } from '../support/built-program.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What a program that has ended said, its log left out. */
interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly log: string;
}

describe('a start that cannot be', () => {
  let folder: TemporaryFolder;
  let program: BuiltProgram;

  beforeAll(async () => {
    folder = await temporaryFolder();
    program = await buildProgram({
      'main.ts': (source) => source.replace('MAX_LOCK_WAIT_MS = 30_000', 'MAX_LOCK_WAIT_MS = 1500'),
    });
  });
  afterAll(async () => {
    await program.remove();
    await folder.remove();
  });

  const start = (env: Record<string, string>, ...args: string[]): ChildProcess =>
    spawn(process.execPath, [program.main, ...(args.length > 0 ? args : ['serve'])], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], MODEL_DOWNLOADS: 'false', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const ended = async (child: ChildProcess): Promise<Ended> => {
    const exit = once(child, 'exit');
    const said = child.stderr ? await text(child.stderr) : '';
    const [code] = (await exit) as [number | null];
    const lines = said.split('\n').filter((line) => line !== '');
    return { code, lines: lines.filter((line) => !line.startsWith('{')), log: said };
  };

  it('names PORT where another program has it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, lines } = await ended(start({ PORT: String(port) }));
    other.close();
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(
          `^hiresfix: PORT: another program listens at 127\\.0\\.0\\.1:${port}\\. Stop it, or choose another PORT`,
        ),
      ),
    ]);
  });

  it('names DASHBOARD_PORT where another program has that, and PORT where it is the same', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await ended(start({ DASHBOARD_PORT: String(port) }));
    other.close();
    expect([taken.code, taken.lines]).toEqual([
      1,
      [expect.stringMatching(`^hiresfix: DASHBOARD_PORT: another program listens at 127\\.0\\.0\\.1:${port}\\.`)],
    ]);
    const same = await ended(start({ PORT: '8091', DASHBOARD_PORT: '8091' }));
    expect(same.code).not.toBe(0);
    expect(same.log).toContain('DASHBOARD_PORT: is PORT, where the dashboard is anyway');
  });

  it('says where the dashboard is where no browser can be opened, and serves it there', async () => {
    const child = start({ DASHBOARD_PORT: '0', PATH: folder.path }, 'serve', '--open');
    child.stderr?.setEncoding('utf8');
    let said = '';
    child.stderr?.on('data', (part: string) => (said += part));
    await eventually(
      () => Promise.resolve(said),
      (all) => all.includes('no browser'),
    );
    const [, page = ''] = /no browser could be opened here; the dashboard is at (http\S+)/.exec(said) ?? [];
    expect((await fetch(new URL('health/live', page))).status).toBe(200);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('names HOST where it is no address of the machine', async () => {
    const { code, lines } = await ended(start({ HOST: '203.0.113.7' }));
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^hiresfix: HOST: 203\.0\.113\.7 is no address of this machine/)]);
  });

  it.each([
    ['UPLOAD_FOLDER', 'a-file/in'],
    ['UPLOAD_FOLDER', 'a-file'],
    ['PROCESSED_FOLDER', '/proc/hiresfix'],
    ['UPLOAD_FOLDER', '/proc/hiresfix/in'],
  ])('names %s where it is %s', async (variable, path) => {
    await writeFile(join(folder.path, 'a-file'), '');
    const { code, lines } = await ended(start({ [variable]: path }));
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        `^hiresfix: ${variable}: no files can be made in .*, or set ${variable} to another folder$`,
      ),
    ]);
  });

  it('says at once that another server has its folder, and names the variable when that does not stop', async () => {
    await mkdir(join(folder.path, 'shared'));
    const env = { PROCESSED_FOLDER: 'shared' };
    const first = start(env);
    try {
      await once(first.stdout ?? first, 'data');
      const begun = performance.now();
      const second = start(env);
      second.stderr?.setEncoding('utf8');
      const told = once(second.stderr ?? second, 'data');
      const all = ended(second);
      const [line] = (await told) as [string];
      expect(line).toContain('"message":"another server uses the folder; waiting for it to stop"');
      const { code, lines } = await all;
      expect(performance.now() - begun).toBeGreaterThan(1500);
      expect(code).toBe(1);
      expect(lines).toEqual([
        expect.stringMatching(
          /^hiresfix: Another server uses .*shared.*, or set PROCESSED_FOLDER and UPLOAD_FOLDER to/,
        ),
      ]);
    } finally {
      const exit = once(first, 'exit');
      first.kill('SIGTERM');
      await exit;
    }
  });
});
