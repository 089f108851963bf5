import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the child does with the pseudo-random weights of a manifest; or, with `values`, with no network at all. */
export type FaceNetworkJob =
  | {
      readonly manifest: string;
      /** Files of `models run`. */
      readonly runs: readonly { readonly input: string; readonly output: string }[];
      /** A PNG through the restorer's whole graph; the tensor `pixels` is written. */
      readonly picture?: { readonly input: string; readonly output: string };
    }
  | { readonly values: readonly number[]; readonly output: string };

const CHILD = fileURLToPath(new URL('face-networks-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Does a job in another process. */
export async function runFaceNetworks(job: FaceNetworkJob): Promise<void> {
  await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(job)], { cwd: PROJECT });
}
