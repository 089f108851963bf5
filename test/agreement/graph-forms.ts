/**
 * `npm run agreement:forms [-- [--small] [PATTERN]]`: every network of the tests, and every published one at full size, in the forms that GPUs get,
 * on the CPU: which blocks are one body, which convolutions have channels last, and how far each is from the plain form: loops alone by no bit. Takes half an
 * hour, and a GB for the largest; with `--small`, which leaves out those of full size, a few minutes. Exit status 1 where one is further than it may be.
 */
import { parseArgs } from 'node:util';
import { ARCHITECTURES } from '../../app/architectures/registry.ts';
import type { FormsCase, FormsResult } from '../support/forms/graph-forms.ts';
import { compareForms } from '../support/forms/graph-forms.ts';
import { publishedNetworks, variantNames } from '../support/checkpoints/hashed-weights.ts';
import { readSmallNetworks } from '../support/networks/small-networks.ts';

/** Of the goldens: what nothing may move a result by, for networks whose answers are far from 0..1 as their goldens allow. */
const TOLERANCE = 2e-5;
const TOLERANCES: Readonly<Record<string, number>> = { ddcolor: 2e-3, Colorize: 3e-4 };

const { values, positionals } = parseArgs({ options: { small: { type: 'boolean' } }, allowPositionals: true });
const [pattern = ''] = positionals;
const cases = [
  ...(values.small ? [] : publishedNetworks()).map((name): FormsCase => ({ name, from: 'manifest' })),
  ...readSmallNetworks().map(({ name }): FormsCase => ({ name, from: 'small' })),
  ...variantNames().map((name): FormsCase => ({ name, from: 'variant' })),
].filter(({ name }) => new RegExp(pattern).test(name));
const seen = new Set<string>();
const failed: string[] = [];
console.log(
  '| network | architecture | loops | blocks in them | nodes | convolutions to prepare | with channels last | others | off by at most |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const one of cases) await compare(one);
const missing = ARCHITECTURES.map(({ name }) => name).filter((name) => !seen.has(name));
if (pattern === '' && !values.small)
  console.log(`architectures without a network here: ${missing.join(', ') || 'none'}`);
console.log(failed.length === 0 ? 'all alike' : `different: ${failed.join(', ')}`);
if (failed.length > 0) process.exitCode = 1;

async function compare(one: FormsCase): Promise<void> {
  try {
    const [result] = await compareForms([one]);
    if (!result) throw new Error(`${one.name} was not run`);
    seen.add(result.architecture);
    tell(result);
  } catch (error) {
    failed.push(one.name);
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    console.log(`${one.name}: ${/^\w*Error: .*$/m.exec(text)?.[0] ?? text.slice(0, 300)}`);
  }
}

function tell({ name, architecture, loops, innerLoops, blocks, nodes, ...result }: FormsResult): void {
  const { convolutions, channelsLast } = result;
  const largest = Math.max(...Object.values(result.differences));
  const [, tolerance = TOLERANCE] = Object.entries(TOLERANCES).find(([start]) => name.startsWith(start)) ?? [];
  if (!(largest <= tolerance) || result.differences.scan !== 0) failed.push(name);
  const off = largest === 0 ? '0' : largest.toExponential(1);
  const cells = [
    name,
    architecture,
    innerLoops === 0 ? loops : `${loops} + ${innerLoops} within`,
    blocks.join(' of '),
    nodes.join(' > '),
    `${convolutions} > ${result.prepared}`,
    `${channelsLast} of ${convolutions}`,
  ];
  console.log(`| ${[...cells, result.whyNotLast, off].join(' | ')} |`);
}
