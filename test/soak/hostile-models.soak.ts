/**
 * All hostile files (`npm run soak:models`; an argument takes every n-th): each is inspected and asked for a picture by the command line,
 * in processes of its own, and must end within 2 s of processor time and 300 MB, with one line; then all are listed and asked for
 * by a server, which must go on answering. Nothing may be executed. Prints what was not so; Linux.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildProgram } from '../support/built-program.ts';
import { besiege, isOneLine } from '../support/hostile/besiege.ts';
import { CANARY, writeHostileCorpus } from '../support/hostile/hostile-corpus.ts';
import { measuredRun } from '../support/hostile/measured-run.ts';
import { quantile } from '../support/servers/open-loop.ts';
import { serveProcess } from '../support/servers/serve-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAX_CPU_SECONDS = 2;
const MAX_BYTES = 300 * 2 ** 20;
const MAX_LIVE_MS = 50;
const MAX_GROWN_BYTES = 50e6;

const every = Number(process.argv[2] ?? '1');
const folder = await temporaryFolder();
const program = await buildProgram();
const models = join(folder.path, 'models');
const home = join(folder.path, 'home');
mkdirSync(home);
const names = writeHostileCorpus(models).filter((_, i) => i % every === 0);
await sharp({ create: { width: 24, height: 24, channels: 3, background: 'teal' } })
  .png()
  .toFile(join(home, 'a.png'));

const faults: string[] = [];
const most = { cpuSeconds: 0, peakBytes: 0 };
for (const name of names) {
  const file = join(models, name);
  const inspect = ['models', 'inspect', file];
  const upscale = ['upscale', 'a.png', '-o', 'out', '--overwrite', '--upscaler', file];
  const said: string[] = [];
  for (const args of [inspect, upscale]) {
    const { code, stderr, cpuSeconds, peakBytes } = await measuredRun([program.main, ...args], home);
    const line = stderr.trimEnd();
    most.cpuSeconds = Math.max(most.cpuSeconds, cpuSeconds);
    most.peakBytes = Math.max(most.peakBytes, peakBytes);
    const isFault = cpuSeconds > MAX_CPU_SECONDS || peakBytes > MAX_BYTES || (code !== 0 && !isOneLine(line));
    if (isFault)
      tell(`${args[0] ?? ''} ${name}`, `${cpuSeconds.toFixed(1)} s, ${(peakBytes / 2 ** 20).toFixed(0)} MB, ${line}`);
    said.push(code === 0 ? '' : line.replace(/^hiresfix: (a\.png: )?/, ''));
  }
  if (said[0] !== said[1] && said[0] !== '') tell(name, `inspect says '${said[0] ?? ''}', upscale '${said[1] ?? ''}'`);
}
process.stdout.write(
  `${names.length} files; at most ${most.cpuSeconds.toFixed(2)} s and ${(most.peakBytes / 2 ** 20).toFixed(0)} MB\n`,
);

const server = await serveProcess(folder.path, { MODELS_DIR: models }, program.main);
const siege = await besiege(server, names);
await server.stop();
for (const { name, status, detail } of siege.answers) {
  if (status >= 400 && !isOneLine(detail)) tell(name, `${status} ${detail}`);
}
const live = quantile(siege.liveMs, 0.99);
process.stdout.write(
  `server: lives p99 ${live.toFixed(1)} ms of ${siege.liveMs.length}, grown ${(siege.grown / 1e6).toFixed(1)} MB\n`,
);
if (live >= MAX_LIVE_MS || siege.grown >= MAX_GROWN_BYTES) tell('server', 'slow, or large');
for (const place of [folder.path, models, home, process.cwd()]) {
  if (existsSync(join(place, CANARY))) tell(place, 'something was executed');
}
await program.remove();
await folder.remove();
process.exitCode = faults.length > 0 ? 1 : 0;

function tell(what: string, fault: string): void {
  faults.push(what);
  process.stdout.write(`${what}: ${fault}\n`);
}
