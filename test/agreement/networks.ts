/**
 * `npm run agreement:networks [-- PATTERN [SEED]]`: networks of every family at sizes, depths, widths and with heads that no published file has
 * (networks.py makes them, with random weights, and has PyTorch's answers) are taken for what spandrel takes them for, and answer
 * alike. Needs a Python with torch and spandrel (`PYTHON`; by default `python3`). Takes some minutes; a line for each network, and an exit status
 * of 1 where one differs.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CheckpointReport } from '../../app/architectures/inspect-checkpoint.ts';
import { inspectCheckpoint } from '../../app/architectures/inspect-checkpoint.ts';
import { UnknownNetworkError } from '../../app/architectures/errors.ts';
import { readNamed } from '../support/networks/close-tensors.ts';
import { largestDifference } from '../support/networks/largest-difference.ts';
import { NetworkProcess } from '../support/networks/network-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What networks.py says of a network. */
interface Entry {
  readonly name: string;
  readonly expected?: {
    readonly architecture: string;
    readonly scale: number;
    readonly in_nc: number;
    readonly out_nc: number;
    readonly hyperparameters: Readonly<Record<string, unknown>>;
  };
  /** Why spandrel does not know it; then the network answers as it was built. */
  readonly undetected?: string;
  /** How far what spandrel takes it for is from what was built. */
  readonly as_built?: number;
  /** Of float32; null where doubles do not run. */
  readonly noise?: number | null;
  /** Why there is no such network. */
  readonly unbuilt?: string;
}

/** As the goldens have it. */
const LEAST_TOLERANCE = 2e-5;
const NOISE_FACTOR = 20;

const [pattern = '', seed = '1'] = process.argv.slice(2);
const folder = await temporaryFolder();
const child = new NetworkProcess();
const maker = spawn(
  process.env['PYTHON'] ?? 'python3',
  [fileURLToPath(new URL('networks.py', import.meta.url)), folder.path, seed, pattern],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const counts = { alike: 0, different: 0, refused: 0 };
for await (const line of createInterface({ input: maker.stdout })) await compare(JSON.parse(line) as Entry);
await child.close();
await folder.remove();
console.log(`${counts.alike} alike, ${counts.different} different, ${counts.refused} refused`);
process.exitCode = counts.different > 0 || maker.exitCode !== 0 ? 1 : 0;

async function compare(entry: Entry): Promise<void> {
  if (entry.unbuilt !== undefined) {
    tell('different', entry, `not built: ${entry.unbuilt}`);
    return;
  }
  const checkpoint = join(folder.path, `${entry.name}.pth`);
  const golden = join(folder.path, `${entry.name}.case.safetensors`);
  const output = join(folder.path, 'output.safetensors');
  try {
    const wrong = seenOtherwise(checkpoint, entry);
    const error = await child.run({ kind: 'run-network', checkpoint, input: golden, output });
    if (error) tell('different', entry, error.message);
    else judge(entry, largestDifference(readNamed(output, 'output').values, readNamed(golden, 'output').values), wrong);
  } catch (error) {
    tell('refused', entry, error instanceof Error ? error.message : String(error));
  } finally {
    for (const file of [checkpoint, golden, output]) rmSync(file, { force: true });
  }
}

function judge(entry: Entry, difference: number, wrong: readonly string[]): void {
  const tolerance = Math.max(LEAST_TOLERANCE, NOISE_FACTOR * (entry.noise ?? 0));
  const isAlike = difference <= tolerance && wrong.length === 0;
  const remarks = [
    `${difference.toExponential(1)} of ${tolerance.toExponential(1)}`,
    ...wrong,
    ...(entry.undetected === undefined ? [] : [`spandrel: ${entry.undetected}`]),
    ...((entry.as_built ?? 0) > tolerance ? ['spandrel takes it for another than it was built as'] : []),
  ];
  tell(isAlike ? 'alike' : 'different', entry, remarks.join('; '));
}

/** What recognition says otherwise than spandrel; of a network that takes no pictures, that alone. */
function seenOtherwise(checkpoint: string, entry: Entry): string[] {
  try {
    return wrongWords(inspectCheckpoint(checkpoint), entry);
  } catch (error) {
    if (error instanceof UnknownNetworkError && error.message.includes(' pictures have ')) return [];
    throw error;
  }
}

function wrongWords(report: CheckpointReport, { expected }: Entry): string[] {
  if (!expected) return [];
  const said = {
    architecture: report.architecture,
    scale: report.scale,
    in_nc: report.input_channels,
    out_nc: report.output_channels,
    ...report.parameters,
  };
  const { architecture, scale, hyperparameters } = expected;
  const wanted = { ...hyperparameters, architecture, scale };
  return Object.entries(wanted).flatMap(([key, value]) => {
    const own = (said as Record<string, unknown>)[key];
    return JSON.stringify(own) === JSON.stringify(value)
      ? []
      : [`${key} is ${own === undefined ? 'not told' : JSON.stringify(own)}, not ${JSON.stringify(value)}`];
  });
}

function tell(kind: keyof typeof counts, { name }: Entry, words: string): void {
  counts[kind] += 1;
  console.log(`${kind.padEnd(9)} ${name.padEnd(34)} ${words}`);
}
