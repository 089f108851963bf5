import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openInBrowser } from '../../../app/cli/open-in-browser.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('opening a page in the browser', () => {
  const { PATH: path = '' } = process.env;
  let folder: TemporaryFolder;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => {
    process.env['PATH'] = path;
    delete process.env['API_KEY'];
  });

  afterAll(() => folder.remove());

  /** What stands for the desktop's opener. */
  const opener = async (script: string): Promise<void> => {
    const file = join(folder.path, 'xdg-open');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    process.env['PATH'] = `${folder.path}:${path}`;
  };

  it('hands over the URL, and none of the secrets', async () => {
    process.env['API_KEY'] = 'sesame';
    const told = join(folder.path, 'told');
    await opener(`echo "$*:$API_KEY" > ${told}`);
    expect(await openInBrowser('http://127.0.0.1:8091/')).toBe(true);
    expect(await readFile(told, 'utf8')).toBe('http://127.0.0.1:8091/:\n');
  });

  it('tells where it could not', async () => {
    await opener('exit 3');
    expect(await openInBrowser('http://127.0.0.1:8091/')).toBe(false);
    process.env['PATH'] = '/nowhere';
    expect(await openInBrowser('http://127.0.0.1:8091/')).toBe(false);
  });
});
