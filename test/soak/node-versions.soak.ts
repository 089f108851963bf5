/**
 * The README's first command as it is written there, from a clone to a picture, in a clean Debian (by debootstrap) with nothing but Node
 * 20, 22 and 24 (of their packages on npm, with npm 11), as a user who is not root, and then the tests of the command line under the same
 * Node. Needs root on Linux and debootstrap.
 *
 *   npm run soak:node-versions [-- 22 24]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { DebianRoot } from '../support/machines/debian-root.ts';
import { registryVariables } from '../support/machines/package-registry.ts';
import { shellBlocks } from '../support/pages/shell-blocks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TESTS = 'test/unit/cli';
const CLONE = '/home/user/hiresfix';
/** A user that the root has no name for. */
const USER = '1000:1000';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.19', '22', '24'];
const work = mkdtempSync(join(tmpdir(), 'hiresfix-node-'));
const roots: DebianRoot[] = [];
process.on('exit', () => {
  for (const root of roots) root.unmount();
  // Should a mount have stayed, what is behind it does.
  spawnSync('rm', ['-rf', '--one-file-system', work]);
});
const debian = DebianRoot.install(join(work, 'debian'));
for (const version of versions) console.log(JSON.stringify(await tryOut(version)));

interface Outcome {
  readonly node: string;
  readonly user: string;
  readonly picture: string;
  /** Of what `npm ci` leaves. */
  readonly installedMegabytes: number;
  readonly seconds: number;
  readonly tests: string;
}

async function tryOut(version: string): Promise<Outcome> {
  const root = debian.copy(join(work, version));
  roots.push(root);
  root.addNode(version, join(work, `packages-${version}`));
  const clone = join(root.path, CLONE);
  must('git', ['clone', '--quiet', ROOT, clone]);
  must('chown', ['-R', USER, join(root.path, 'home/user')]);
  const said = (command: string): string => {
    const [file = '', ...args] = root.inside(['/bin/sh', '-c', command], { user: USER, workdir: CLONE });
    return must(file, args, {
      ...registryVariables(),
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin',
      HOME: '/home/user',
    });
  };
  const node = said('node --version').trim();
  const started = performance.now();
  said(firstCommand());
  const seconds = Math.round((performance.now() - started) / 1000);
  const [before, after] = await Promise.all(
    ['docs/images/sample.png', 'upscaled.png'].map((file) => sharp(join(clone, file)).metadata()),
  );
  if (after?.width !== 2 * (before?.width ?? 0)) throw new Error(`under ${node} it became ${after?.width} wide`);
  const bytes = Number(
    must('du', ['-s', '--apparent-size', '--block-size=1', join(clone, 'node_modules')]).split('\t')[0],
  );
  const tests = said(`npm test -- ${TESTS} 2>&1`);
  return {
    node,
    user: said('id -u').trim(),
    picture: `${after.width} x ${after.height}`,
    installedMegabytes: Math.round(bytes / 1e6),
    seconds,
    tests: /^Tests: +(.*)$/m.exec(tests)?.[1] ?? 'none',
  };
}

function firstCommand(): string {
  const [block] = shellBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  return block?.commands[0]?.text ?? '';
}

/** What it says on stdout. @throws Error with all that it said where it fails */
function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, env });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout.slice(-4000)}${stderr.slice(-4000)}`);
  return stdout;
}
