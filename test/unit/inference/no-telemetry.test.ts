import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SESSION = JSON.stringify(fileURLToPath(new URL('../../../app/inference/session.ts', import.meta.url)));
/** A model of one node, Identity, of one number. */
const MODEL =
  '08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801620f0a0179120a0a08080112040a02080142021011';

it('runs without the telemetry of the runtime, which keeps files among those for scratch and calls its maker', async () => {
  const folder = await temporaryFolder();
  const open = `Session.open(Buffer.from('${MODEL}', 'hex'), { weightsFolder: '.', device: 'cpu' })`;
  const script = `import { Session } from ${SESSION}; await (await ${open}).release();`;
  const env = { PATH: process.env['PATH'], TMPDIR: folder.path };
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    env,
  });
  expect([status, stderr.toString()]).toEqual([0, '']);
  expect(readdirSync(folder.path).filter((name) => !name.startsWith('tsx'))).toEqual([]);
  await folder.remove();
});
