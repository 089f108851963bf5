/**
 * The README's first command as it is written there, from a clone to a picture, with nothing but Node 20, 22 and 24 (of their packages on
 * npm, with npm 11) on the path, and then the tests of the command line under the same Node.
 *
 *   npm run soak:node-versions [-- 22 24]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TESTS = 'test/unit/cli';
/** What a shell needs for itself; Node is not among it. */
const SYSTEM = ['sh', 'env', 'git', 'uname', 'cat', 'sed', 'dirname', 'basename', 'ldd'];

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.19', '22', '24'];
const work = mkdtempSync(join(tmpdir(), 'hiresfix-node-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
for (const version of versions) console.log(JSON.stringify(await tryOut(version)));

interface Outcome {
  readonly node: string;
  readonly picture: string;
  /** Of what `npm ci` leaves. */
  readonly installedMegabytes: number;
  readonly seconds: number;
  readonly tests: string;
}

async function tryOut(version: string): Promise<Outcome> {
  const folder = join(work, version);
  const env = { ...network(), PATH: pathWith(version, folder), HOME: join(folder, 'home') };
  const clone = join(folder, 'clone');
  run('git', ['clone', '--quiet', ROOT, clone], { cwd: folder });
  const node = run('node', ['--version'], { cwd: clone, env }).trim();
  const started = performance.now();
  run('sh', ['-c', firstCommand()], { cwd: clone, env });
  const seconds = Math.round((performance.now() - started) / 1000);
  const [before, after] = await Promise.all(
    ['docs/images/sample.png', 'upscaled.png'].map((file) => sharp(join(clone, file)).metadata()),
  );
  if (after?.width !== 2 * (before?.width ?? 0)) throw new Error(`under ${node} it became ${after?.width} wide`);
  const bytes = Number(
    run('du', ['-s', '--apparent-size', '--block-size=1', 'node_modules'], { cwd: clone }).split('\t')[0],
  );
  const tests = run('sh', ['-c', `npm test -- ${TESTS} 2>&1`], { cwd: clone, env });
  rmSync(folder, { recursive: true, force: true });
  return {
    node,
    picture: `${after.width} x ${after.height}`,
    installedMegabytes: Math.round(bytes / 1e6),
    seconds,
    tests: /^Tests: +(.*)$/m.exec(tests)?.[1] ?? 'none',
  };
}

/** By what this machine reaches the registry. */
function network(): NodeJS.ProcessEnv {
  const isOfIt = (name: string): boolean => /^(npm_config_registry|NODE_EXTRA_CA_CERTS|(https?|no)_proxy)$/i.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isOfIt(name)));
}

/** Without its comment. */
function firstCommand(): string {
  const [, command = ''] = /```sh\n([^#\n]+)/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  return command.trim();
}

/** A folder with Node, npm and npx of this version, and what a shell needs. */
function pathWith(version: string, folder: string): string {
  const [packages, bin] = [join(folder, 'node'), join(folder, 'bin')];
  for (const path of [packages, bin, join(folder, 'home')]) mkdirSync(path, { recursive: true });
  run('npm', ['install', '--silent', '--prefix', packages, `node@${version}`, 'npm@11'], { cwd: packages });
  symlinkSync(join(packages, 'node_modules/node/bin/node'), join(bin, 'node'));
  for (const name of ['npm', 'npx'])
    symlinkSync(join(packages, `node_modules/npm/bin/${name}-cli.js`), join(bin, name));
  for (const name of SYSTEM) {
    const path = run('sh', ['-c', `command -v ${name} || true`], { cwd: folder }).trim();
    if (path !== '') symlinkSync(path, join(bin, name));
  }
  return bin;
}

function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    ...options,
  });
  if (status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${error?.message ?? `${stdout.slice(-4000)}${stderr.slice(-4000)}`}`,
    );
  return stdout;
}
