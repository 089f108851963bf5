import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * A network of the tests: one of `test/fixtures/networks`, of `variants`, or of `manifests`, which are of full size, or an eighth as wide
 * (`narrow`).
 */
export interface FormsCase {
  readonly name: string;
  readonly from: 'small' | 'variant' | 'manifest' | 'narrow';
}

export interface FormsResult extends FormsCase {
  readonly architecture: string;
  /** How many rows of alike blocks were found. */
  readonly loops: number;
  /** How many rows within the blocks of those are loops of their own. */
  readonly innerLoops: number;
  /** How many of the blocks that hold no smaller ones are in such rows, and how many there are. */
  readonly blocks: readonly [inLoops: number, all: number];
  /** Of the plain graph, and of the one with loops. */
  readonly nodes: readonly [plain: number, scan: number];
  readonly convolutions: number;
  /** How many are left for the device to prepare where there are loops. */
  readonly prepared: number;
  /** How many of them have channels last. */
  readonly channelsLast: number;
  /** Where not all have: what the others are, or what else the layout would have to change for. */
  readonly whyNotLast: string;
  /** Of the largest number, from the plain form's result. */
  readonly differences: Readonly<Record<'scan' | 'last' | 'both', number>>;
}

const CHILD = fileURLToPath(new URL('graph-forms-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs networks in each form that GPUs get. */
export async function compareForms(cases: readonly FormsCase[]): Promise<readonly FormsResult[]> {
  const args = ['--import', 'tsx', CHILD, JSON.stringify(cases)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FormsResult);
}
