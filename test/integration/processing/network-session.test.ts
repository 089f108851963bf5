import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeCheckpoint } from '../../support/checkpoints/checkpoint-writer.ts';
import type { SessionJob, SessionSeen } from '../../support/networks/network-session-child.ts';
import { overflowingNetwork } from '../../support/networks/overflowing-network.ts';
import { smallNetwork, smallTensors } from '../../support/networks/small-networks.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CHILD = fileURLToPath(new URL('../../support/networks/network-session-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const TIMEOUT_MS = 120_000;
const NO_NUMBERS = 'Compact answered with values that are not numbers; its weights are damaged, or cpu is at fault';

/** Damaged, it answers with what is no number; endless, with infinities. */
type State = 'whole' | 'damaged' | 'endless';

describe('A network whose device fails while it runs', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  /** Loads the network from `loaded`, has the file replaced, and runs. */
  const run = async (loaded: State, replacement: State): Promise<SessionSeen> => {
    const file = (name: string): string => join(folder.path, `${name}.safetensors`);
    writeNetwork(file('network'), loaded);
    writeNetwork(file('replacement'), replacement);
    const job: SessionJob = { file: file('network'), replacement: file('replacement') };
    const args = ['--import', 'tsx', CHILD, JSON.stringify(job)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT });
    return JSON.parse(stdout) as SessionSeen;
  };

  it(
    'is loaded on the next one and answers there, and says so',
    async () => {
      const [whole, rescued] = [await run('whole', 'damaged'), await run('damaged', 'whole')];
      expect(whole).toEqual({ fallbacks: [], output: expect.any(Array) });
      expect(rescued.fallbacks).toEqual([{ from: 'cpu', to: 'cpu', reason: NO_NUMBERS }]);
      expect(rescued.output).toHaveLength(3 * 16 * 16);
      expect(rescued.output).toEqual(whole.output);
    },
    TIMEOUT_MS,
  );

  it(
    'is taken to fail by an infinity as by a NaN',
    async () => {
      const { fallbacks, output, error } = await run('endless', 'endless');
      expect([fallbacks.length, output, error]).toEqual([1, undefined, `DamagedAnswerError: ${NO_NUMBERS}`]);
    },
    TIMEOUT_MS,
  );

  it(
    'fails with what the last one said where none does better',
    async () => {
      const { fallbacks, output, error } = await run('damaged', 'damaged');
      expect([fallbacks.length, output, error]).toEqual([1, undefined, `DamagedAnswerError: ${NO_NUMBERS}`]);
    },
    TIMEOUT_MS,
  );
});

/** A small upscaler. */
function writeNetwork(file: string, state: State): void {
  const network = smallNetwork('compact-x2');
  const tensors = smallTensors(network);
  const answers = { whole: tensors, damaged: overflowingNetwork('NaN'), endless: overflowingNetwork('infinity') };
  writeCheckpoint(file, answers[state], { format: 'safetensors' });
}
