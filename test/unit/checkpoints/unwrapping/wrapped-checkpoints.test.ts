import { describe, expect, it } from '@jest/globals';
import { inspectCheckpoint } from '../../../../app/architectures/inspect-checkpoint.ts';
import { openCheckpoint } from '../../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../../app/checkpoints/read-tensor.ts';
import type { TensorData } from '../../../../app/checkpoints/safetensors-writer.ts';
import { writeSafetensors } from '../../../../app/checkpoints/safetensors-writer.ts';
import { refusalOf } from '../../../support/refusal-of.ts';
import { readSmallNetworks, smallTensors } from '../../../support/networks/small-networks.ts';
import type { Tree } from '../../../support/checkpoints/tree-checkpoint.ts';
import { writeTree } from '../../../support/checkpoints/tree-checkpoint.ts';
import { scratchFolder } from '../scratch-folder.ts';

const scratch = scratchFolder();
type Tensors = ReadonlyMap<string, TensorData>;

const networks = ['new-x4', 'old-x4-gray', 'compact-x4'].map((wanted) => {
  const all = readSmallNetworks();
  const network = all.find(({ name }) => name === wanted);
  if (!network) throw new Error(`${wanted}: known are ${all.map(({ name }) => name).join(', ')}`);
  return { name: wanted, tensors: smallTensors(network), expected: network.expected };
});

const count: TensorData = { shape: [], dtype: 'int64', data: BigInt64Array.of(7n) };
const step: TensorData = { shape: [1], dtype: 'int64', data: BigInt64Array.of(7n) };
const random: TensorData = { shape: [16], dtype: 'uint8', data: new Uint8Array(16) };
const doubled = (tensors: Tensors): Tensors =>
  new Map(
    [...tensors].map(([name, tensor]) => {
      const { data } = tensor;
      return [name, data instanceof Float32Array ? { ...tensor, data: data.map((value) => 2 * value) } : tensor];
    }),
  );
const prefixed = (prefix: string, tensors: Tensors): Tensors =>
  new Map([...tensors].map(([name, tensor]) => [prefix + name, tensor]));
const dict = (entries: Record<string, Tree>): Tree => new Map(Object.entries(entries));

type Wrapper = readonly [string, (weights: Tensors) => Tree];
type Prefix = readonly [string, (weights: Tensors) => Tensors];

/** The first is the plain file. */
const WRAPPERS: readonly [Wrapper, ...Wrapper[]] = [
  ['plain', (w) => w],
  ['params_ema beside params', (w) => dict({ params: doubled(w), params_ema: w })],
  ['an empty params_ema', (w) => dict({ params_ema: new Map(), params: w })],
  ['params-ema', (w) => dict({ 'params-ema': w })],
  ['state_dict', (w) => dict({ state_dict: w, epoch: 3 })],
  ['state_dict of params and params_ema', (w) => dict({ state_dict: dict({ params: doubled(w), params_ema: w }) })],
  ['checkpoint.state_dict', (w) => dict({ checkpoint: dict({ state_dict: w }) })],
  ['metadata', (w) => dict({ metadata: dict({ arch: 'x' }), params_ema: w })],
  ...'net_g netG generator g_ema G_ema ema ema_state_dict model_ema state_dict_ema weights network netG_state_dict generator_state_dict gen G model_G'
    .split(' ')
    .map((key): [string, (w: Tensors) => Tree] => [`${key} beside a counter`, (w) => dict({ [key]: w, iter: 5 })]),
  [
    'net_g beside net_d and optimizers',
    (w) => dict({ net_d: doubled(w), net_g: w, optimizer_g: dict({ state: doubled(w) }) }),
  ],
  ['model beside its average', (w) => dict({ model: doubled(w), model_ema: w })],
];

const PREFIXES: readonly [Prefix, ...Prefix[]] = [
  ['no prefix', (w) => w],
  ...'module. netG. module.netG. netG.module. _orig_mod. _orig_mod.module. model. net_g. net. G. backbone. generator. ema_model. params_ema. params. state_dict. m.n.o.'
    .split(' ')
    .map((prefix): [string, (w: Tensors) => Tensors] => [prefix, (w) => prefixed(prefix, w)]),
  [
    'generator. with a counter, an average and a discriminator',
    (w) =>
      new Map([
        ['step_counter', step],
        ...prefixed('generator.', doubled(w)),
        ...prefixed('generator_ema.', w),
        ...prefixed('discriminator.', doubled(w)),
      ]),
  ],
  ['vqvae. with loss.', (w) => new Map([...prefixed('vqvae.', w), ...prefixed('loss.discriminator.', doubled(w))])],
  ['module. with n_averaged', (w) => new Map([['n_averaged', count], ...prefixed('module.', w)])],
  [
    'online_model. with ema_model.',
    (w) =>
      new Map([
        ...prefixed('online_model.', doubled(w)),
        ...prefixed('ema_model.', w),
        ['initted', count],
        ['step', count],
      ]),
  ],
  ['counters and random states beside', (w) => new Map([['step', step], ['decay', count], ['rng', random], ...w])],
];

function expectTensors(file: string, tensors: Tensors): void {
  const read = openCheckpoint(file);
  const wrong = [...tensors].filter(([name, { data }]) => {
    const values = readTensor(read, name);
    return Buffer.compare(bytesOf(values), bytesOf(data)) !== 0;
  });
  expect(wrong.map(([name]) => name)).toEqual([]);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What is tried under a wrapper: every prefix with the smallest network, with the others none and one of them in turn. */
function prefixesFor(name: string, wrapper: Wrapper): readonly Prefix[] {
  if (name === 'compact-x4') return PREFIXES;
  return [
    PREFIXES[0],
    PREFIXES[WRAPPERS.findIndex(([under]) => under === wrapper[0]) % PREFIXES.length] ?? PREFIXES[0],
  ];
}

describe.each(networks)('the weights of $name', ({ name, tensors, expected }) => {
  it.each(WRAPPERS)('are found in a .pth under %s, whatever the prefix', (...wrapper) => {
    const [, wrap] = wrapper;
    for (const [prefix, put] of prefixesFor(name, wrapper)) {
      const file = scratch.path('wrapped.pth');
      writeTree(file, wrap(put(tensors)));
      const { architecture, scale, parameters } = inspectCheckpoint(file);
      expect({ prefix, architecture, scale, parameters }).toEqual({
        prefix,
        architecture: expected.architecture,
        scale: expected.scale,
        parameters: expected.parameters,
      });
      expectTensors(file, tensors);
    }
  });

  it.each(PREFIXES)('are found in a .safetensors with %s', (_name, put) => {
    const file = scratch.path('wrapped.safetensors');
    writeSafetensors(file, put(tensors));
    expect(inspectCheckpoint(file)).toMatchObject(expected);
    expectTensors(file, tensors);
  });

  it('are refused by its name with one too many or too few, however they are wrapped', () => {
    const last = [...tensors.keys()].at(-1) ?? '';
    const extra: TensorData = { shape: [8, 8, 3, 3], dtype: 'float32', data: new Float32Array(576) };
    const missing = new Map([...tensors].filter(([name]) => name !== last));
    const many = new Map([...tensors, ['extra77.weight', extra]]);
    const [[, plain]] = WRAPPERS;
    const [[, bare]] = PREFIXES;
    const pairs = [
      ...WRAPPERS.map(([, wrap]) => [wrap, bare] as const),
      ...PREFIXES.map(([, put]) => [plain, put] as const),
    ];
    for (const [wrap, put] of pairs) {
      const file = scratch.path('strict.pth');
      writeTree(file, wrap(put(missing)));
      expect(refusalOf(() => inspectCheckpoint(file)).message).toContain(last);
      writeTree(file, wrap(put(many)));
      expect(refusalOf(() => inspectCheckpoint(file)).message).toMatch(/77/);
    }
  });
});

describe('what is left out', () => {
  it('is named', () => {
    const tensors = networks[0]?.tensors ?? new Map<string, TensorData>();
    const file = scratch.path('named.pth');
    const state = new Map([['step', step], ...prefixed('generator.', tensors), ['discriminator.w', random]]);
    writeTree(file, dict({ state_dict: state, epoch: 3, optimizer: dict({}) }));
    expect(inspectCheckpoint(file).left_out).toEqual(['epoch', 'optimizer', 'step', 'discriminator.w']);
  });
});
