/**
 * `npm run bench:gpu:choices [-- NAME [SIDE [DEVICE]]]`: one published network, with pseudo-random weights, in fp16, in every form of its graph and with every
 * setting that the Node binding of the runtime lets through, each in a fresh process: which loads, begins and runs fastest. Some five minutes on an H100 for
 * x4plus. Provider options proper (another search of algorithms, `prefer_nhwc`) do not get through: `deviceId` is the only one.
 */
import { createHashedCheckpoint } from '../../support/checkpoints/hashed-checkpoint.ts';
import { median } from '../../support/median.ts';
import type { Choice } from './choice-child.ts';
import type { Times } from './measuring.ts';
import { canMeasure, inWords, measureInChild } from './measuring.ts';

const ROUNDS = 3;

const [name = 'RealESRGAN_x4plus', side = '512', device = 'cuda'] = process.argv.slice(2);
/** The CPU knows no convolutions with channels last: it tries the script. */
const AS_IT_IS: Choice = { form: device === 'cpu' ? 'loops' : 'fastest', session: {}, environment: {} };

const CHOICES: Readonly<Record<string, Choice>> = {
  'as it is': AS_IT_IS,
  'no loops within loops': { ...AS_IT_IS, form: device === 'cpu' ? 'loops' : 'outer' },
  'loops alone': { ...AS_IT_IS, form: 'loops' },
  'channels last alone': { ...AS_IT_IS, form: 'last' },
  'plain graph': { ...AS_IT_IS, form: 'plain' },
  'memory planned ahead': { ...AS_IT_IS, session: { enableMemPattern: true } },
  'optimised less (basic)': { ...AS_IT_IS, session: { graphOptimizationLevel: 'basic' } },
  'optimised less (extended)': { ...AS_IT_IS, session: { graphOptimizationLevel: 'extended' } },
  'not optimised': { ...AS_IT_IS, session: { graphOptimizationLevel: 'disabled' } },
  'one thread on the CPU': { ...AS_IT_IS, session: { intraOpNumThreads: 1 } },
  'weights past the arena': {
    ...AS_IT_IS,
    session: { extra: { session: { use_device_allocator_for_initializers: '1' } } },
  },
  'pinned outputs': { ...AS_IT_IS, session: { preferredOutputLocation: 'cpu-pinned' } },
  'kernels loaded at once': { ...AS_IT_IS, environment: { CUDA_MODULE_LOADING: 'EAGER' } },
  'kernels loaded when wanted': { ...AS_IT_IS, environment: { CUDA_MODULE_LOADING: 'LAZY' } },
};

if (await canMeasure(device)) {
  const checkpoint = createHashedCheckpoint(name);
  try {
    for (const [what, choice] of Object.entries(CHOICES)) {
      console.log(
        `${what.padEnd(28)} ${await measured(checkpoint.file, choice).catch((error: unknown) => `failed: ${String(error)}`)}`,
      );
    }
  } finally {
    checkpoint.remove();
  }
}

/** The medians of a few fresh processes. */
async function measured(file: string, choice: Choice): Promise<string> {
  const rounds: Times[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await measureInChild<Times>('choice-child.ts', file, device, side, JSON.stringify(choice)));
  }
  const of = (key: 'load' | 'first' | 'later') => median(rounds.map((times) => times[key]));
  return inWords({ load: of('load'), first: of('first'), later: of('later') });
}
