/**
 * `npm run bench:memory-per-pixel -- [PATTERN | FILE ...]`: what a run of each published network takes for one pixel of its input, beside
 * what its file states (`workingBytesPerPixel`), by which `auto` tiles are sized. Networks are those of test/fixtures/manifests whose name
 * fits a pattern, at full size with pseudo-random weights, or checkpoints. Each is run on two squares (SIDES, by default `96,160`), in
 * processes of their own; what counts is the larger, and what a further pixel takes. Fails where either is more than is stated.
 * Constants of the architectures (LIVE_TENSORS, BYTES_PER_FEATURE) come from this. Linux only.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createHashedCheckpoint } from '../../support/checkpoints/hashed-checkpoint.ts';
import type { MemoryJob, MemorySeen } from '../../support/networks/memory-per-pixel-child.ts';

const MANIFESTS = fileURLToPath(new URL('../../fixtures/manifests', import.meta.url));
const CHILD = fileURLToPath(new URL('../../support/networks/memory-per-pixel-child.ts', import.meta.url));
const OF_ONE_SIZE = /^(ddcolor|Colorize|GFPGAN|codeformer|RestoreFormer|detection|parsing)/;

const asked = process.argv.slice(2);
const [smaller = 96, larger = 160] = (process.env['SIDES'] ?? '96,160').split(',').map(Number);
const patterns = asked.filter((one) => !existsSync(one)).map((one) => new RegExp(one));
const names = readdirSync(MANIFESTS)
  .map((file) => file.replace('.json', ''))
  .filter((name) => !OF_ONE_SIZE.test(name) && (asked.length === 0 || patterns.some((one) => one.test(name))));
for (const file of asked.filter((one) => existsSync(one))) await measure(file, file);
for (const name of names) {
  const checkpoint = createHashedCheckpoint(name);
  await measure(name, checkpoint.file).finally(() => checkpoint.remove());
}

async function measure(name: string, file: string): Promise<void> {
  const [small, large] = [await seenOf({ file, side: smaller }), await seenOf({ file, side: larger })];
  const whole = large.bytes / larger ** 2;
  const further = (large.bytes - small.bytes) / (larger ** 2 - smaller ** 2);
  const most = Math.max(whole, further) / large.stated;
  const figures = `${whole.toFixed(0)} bytes a pixel, ${further.toFixed(0)} a further one; ${large.stated.toFixed(0)} are stated`;
  console.log(`${name.padEnd(30)} ${large.architecture.padEnd(12)} ${figures} (${most.toFixed(2)})`);
  if (most > 1) process.exitCode = 1;
}

async function seenOf(job: MemoryJob): Promise<MemorySeen> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(job)]);
  return JSON.parse(stdout) as MemorySeen;
}
