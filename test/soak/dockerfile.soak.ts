/**
 * Runs deploy/Dockerfile step by step without a container engine: each `FROM` becomes a root of its own under a clean Debian (by
 * debootstrap) with the Node that the image asks for, each `RUN` a command in it. Then the image's own command serves an upscale as
 * the image's user. Needs root on Linux, debootstrap, and the sources of packages that the machine itself uses.
 *
 *   npm run soak:dockerfile [-- deploy/Dockerfile]
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { glob } from 'tinyglobby';
import sharp from 'sharp';
import { DebianRoot } from '../support/machines/debian-root.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One image that is being built. */
interface Stage {
  readonly root: DebianRoot;
  readonly env: Record<string, string>;
  workdir: string;
  user: string;
  entrypoint: readonly string[];
  command: readonly string[];
  healthcheck: readonly string[];
}

const dockerfile = resolve(process.argv[2] ?? join(ROOT, 'deploy/Dockerfile'));
const work = mkdtempSync(join(tmpdir(), 'hiresfix-image-'));
const stages = new Map<string, Stage>();
const images = new Map<string, DebianRoot>();
process.on('exit', () => {
  for (const { root } of stages.values()) root.unmount();
  // Should a mount have stayed, what is behind it does.
  spawnSync('rm', ['-rf', '--one-file-system', work]);
});

const image = await build();
await prove(image);

async function build(): Promise<Stage> {
  const args: Record<string, string> = {};
  let stage: Stage | undefined;
  for (const [instruction, rest] of instructionsOf(readFileSync(dockerfile, 'utf8'))) {
    const text = rest.replace(/\$\{(\w+)\}/g, (whole, name: string) => args[name] ?? whole);
    console.log(`${instruction} ${text}`);
    if (instruction === 'ARG') {
      const [name = '', value = ''] = text.split('=');
      args[name] = value;
    } else if (instruction === 'FROM') {
      const [base = '', , name = String(stages.size)] = text.split(/\s+/);
      stage = newStage(base, name);
    } else {
      if (!stage) throw new Error(`${instruction} comes before FROM`);
      await apply(stage, instruction, text);
    }
  }
  if (!stage) throw new Error(`${dockerfile} has no FROM`);
  return stage;
}

async function apply(stage: Stage, instruction: string, text: string): Promise<void> {
  switch (instruction) {
    case 'ENV':
      for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
      return;
    case 'WORKDIR':
      stage.workdir = text;
      mkdirSync(join(stage.root.path, text), { recursive: true });
      return;
    case 'COPY':
      await copy(stage, text);
      return;
    case 'RUN':
      inside(stage, ['/bin/sh', '-c', text], '0:0');
      return;
    case 'USER':
      stage.user = text;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(text) as string[];
      return;
    case 'CMD':
      stage.command = JSON.parse(text) as string[];
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(text.slice(text.indexOf('['))) as string[];
      return;
    case 'VOLUME':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return; // of a container that runs
    default:
      throw new Error(`${instruction} is not known here`);
  }
}

/** Instructions in order, with lines that go on joined and comments left out. */
function instructionsOf(text: string): (readonly [string, string])[] {
  return text
    .replace(/^#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return [instruction, rest] as const;
    });
}

function newStage(base: string, name: string): Stage {
  const version = /^node:(\d+)-bookworm-slim$/.exec(base)?.[1];
  if (version === undefined) throw new Error(`${base} cannot be made here: only node:N-bookworm-slim can`);
  const root = nodeImage(version).copy(join(work, name));
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/root' };
  const stage = { root, env, workdir: '/', user: '0:0', entrypoint: [], command: [], healthcheck: [] };
  stages.set(name, stage);
  return stage;
}

/** A clean Debian with Node from its package on npm; made once. */
function nodeImage(version: string): DebianRoot {
  const root = images.get(version) ?? DebianRoot.install(join(work, `node-${version}`));
  if (!images.has(version)) root.addNode(version, join(work, 'node'));
  images.set(version, root);
  return root;
}

async function copy(stage: Stage, text: string): Promise<void> {
  const [, from, source = '', target = ''] = /^(?:--from=(\S+)\s+)?(\S+)\s+(\S+)$/.exec(text) ?? [];
  const destination = join(stage.root.path, resolve(stage.workdir, target));
  if (from === undefined) {
    for (const file of await contextFiles()) {
      mkdirSync(dirname(join(destination, file)), { recursive: true });
      cpSync(join(ROOT, file), join(destination, file));
    }
    return;
  }
  const origin = stages.get(from);
  if (!origin) throw new Error(`there is no stage ${from}`);
  mkdirSync(dirname(destination), { recursive: true });
  run('cp', ['-a', join(origin.root.path, source), destination]);
}

/** What the build is given: all but what .dockerignore names. */
async function contextFiles(): Promise<string[]> {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  const [kept, ignored] = [lines.filter((line) => line.startsWith('!')), lines.filter((line) => !line.startsWith('!'))];
  const files = await glob('**', { cwd: ROOT, dot: true, ignore: ignored.flatMap((line) => [line, `${line}/**`]) });
  return [...files, ...kept.map((line) => line.slice(1))];
}

/** As the image would run: its user, its environment, its command; a picture goes in, twice its size comes out. */
async function prove(stage: Stage): Promise<void> {
  const [command = '', ...args] = stage.root.inside([...stage.entrypoint, ...stage.command], stage);
  const port = '18001';
  const server = spawn(command, args, {
    env: { ...stage.env, PORT: port, MODEL_DOWNLOADS: 'false' },
    stdio: 'inherit',
  });
  try {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
      if (answer?.ok) break;
      if (tries > 100) throw new Error('the service is not ready after ten seconds');
      await new Promise((done) => setTimeout(done, 100));
    }
    inside({ ...stage, env: { ...stage.env, PORT: port } }, stage.healthcheck, stage.user);
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#3366aa' } })
      .png()
      .toBuffer();
    const body = new FormData();
    body.set('file', new Blob([new Uint8Array(picture)]), 'small.png');
    const result = await fetch(`http://127.0.0.1:${port}/upscale?upscaler=COMPACT_X2`, { method: 'POST', body });
    const { width, height } = await sharp(Buffer.from(await result.arrayBuffer())).metadata();
    if (width !== 80 || height !== 60) throw new Error(`the result is ${width} x ${height}`);
    const owner = spawnSync('ps', ['-o', 'uid=', '-p', String(server.pid)], { encoding: 'utf8' }).stdout.trim();
    const size = spawnSync('du', ['-sm', join(stage.root.path, 'app')], { encoding: 'utf8' }).stdout.split('\t')[0];
    console.log(`upscaled 40 x 30 to ${width} x ${height} as user ${owner}; /app is ${size} MB`);
    if (owner === '0') throw new Error('the service runs as root');
  } finally {
    server.kill('SIGTERM');
    await new Promise((done) => server.once('exit', done));
  }
}

function inside({ root, env, workdir }: Stage, command: readonly string[], user: string): void {
  root.run(command, { user, workdir, env });
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}
