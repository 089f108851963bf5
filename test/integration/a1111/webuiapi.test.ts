import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { a1111Service } from '../../support/servers/a1111-service.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const REPLAY = fileURLToPath(new URL('../../fixtures/clients/webuiapi_replay.py', import.meta.url));
const KEY = 'a-key-of-the-test';
const candidates = [process.env['HIRESFIX_CLIENTS_PYTHON'], process.env['HIRESFIX_PYTHON'], 'python3'];
const python = candidates.find(
  (program) => program !== undefined && spawnSync(program, ['-c', 'import webuiapi, aiohttp']).status === 0,
);

if (python === undefined) {
  it.skip('needs a Python with test/fixtures/clients/requirements.txt, named by $HIRESFIX_CLIENTS_PYTHON or as python3', () =>
    undefined);
} else {
  it('the PyPI client webuiapi, as it is published, can do all that it can ask of an upscaler', async () => {
    const service = await a1111Service({ API_KEY: KEY });
    const folder = await temporaryFolder();
    try {
      const args = [REPLAY, '127.0.0.1', String(service.port), 'anyone', KEY];
      const { stdout } = await promisify(execFile)(python, args, { cwd: folder.path });
      expect(stdout).toBe('all of it');
    } finally {
      await service.close();
      await folder.remove();
    }
  }, 120_000);
}
