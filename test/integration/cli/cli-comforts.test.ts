import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Setting } from '../../../app/settings.ts';
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

  it('names a bad value in one line', async () => {
    const { code, stderr } = await config([], { PORT: '99999' });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^hiresfix: Bad configuration: PORT: .*99999"\n$/)]);
  });
});
