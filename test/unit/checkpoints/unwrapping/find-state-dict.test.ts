import { describe, expect, it } from '@jest/globals';
import type { PickleValue } from '../../../../app/checkpoints/pickle/pickle-values.ts';
import { PickleCall, PickleGlobal, PickleTuple } from '../../../../app/checkpoints/pickle/pickle-values.ts';
import { besides, findStateDict, noTensors } from '../../../../app/checkpoints/unwrapping/find-state-dict.ts';
import { refusalOf } from '../refusal.ts';

const dict = (entries: Record<string, PickleValue>): PickleValue => new Map(Object.entries(entries));
const rebuild = new PickleGlobal('torch._utils', '_rebuild_tensor_v2');
const tensor = (...shape: number[]) =>
  new PickleCall(rebuild, [null, 0, new PickleTuple(shape), new PickleTuple(shape)]);
const weights = dict({ 'conv.weight': tensor(4, 3, 3, 3), 'conv.bias': tensor(4) });
const others = dict({ 'fc.weight': tensor(1, 9), 'fc.bias': tensor(1), 'fc2.weight': tensor(1, 9) });
const empty = dict({});

describe('findStateDict', () => {
  it.each<[string, PickleValue, string[]]>([
    ['the state dict itself', weights, []],
    ['params_ema before params', dict({ params: others, params_ema: weights }), ['params_ema']],
    ['params where params_ema is empty', dict({ params_ema: empty, params: weights }), ['params']],
    ['state_dict before params', dict({ params: others, state_dict: weights }), ['state_dict']],
    ['an average before all others', dict({ state_dict: others, g_ema: weights }), ['g_ema']],
    [
      'an average inside',
      dict({ state_dict: dict({ params: others, params_ema: weights }) }),
      ['state_dict', 'params_ema'],
    ],
    ['model beside opt', dict({ model: weights, opt: dict({ state: others }) }), ['model']],
    ['a generator beside its discriminator', dict({ net_d: others, net_g: weights, iter: 5 }), ['net_g']],
    ['G beside D', dict({ D: others, G: weights }), ['G']],
    ['a known key that is no dict, passed over', dict({ model: 'rrdb', net: weights }), ['net']],
    ['a single key of any name', dict({ anything: weights }), ['anything']],
    [
      'a key of any name beside a counter',
      dict({ anything: weights, step: tensor(), n_averaged: tensor(1) }),
      ['anything'],
    ],
    ['a dict in dicts in dicts', dict({ a: dict({ b: dict({ c: weights }) }) }), ['a', 'b', 'c']],
    ['a key that is a number', new Map<PickleValue, PickleValue>([[0, weights]]), ['0']],
    ['a network in a dict by index', dict({ nets: new Map<PickleValue, PickleValue>([[1, weights]]) }), ['nets', '1']],
    ['the first of a tuple', new PickleTuple([weights, 7]), ['0']],
    ['what has most tensors of dicts in one another', dict({ model: weights, losses: tensor(9) }), ['model']],
    ['it also under a known key', dict({ model: dict({ net: weights, rng: tensor(5056) }) }), ['model', 'net']],
    ['a discriminator where it is all there is', dict({ netD: weights }), ['netD']],
  ])('finds %s', (_name, tree, path) => {
    expect(findStateDict(tree)).toEqual({ path, dict: weights });
  });

  it('keeps to a dict beside whose weights a discriminator lies, or as many averages', () => {
    const holding = (key: string, inner: PickleValue) =>
      dict({ 'a.weight': tensor(4, 3), 'a.bias': tensor(4), [key]: inner });
    expect(findStateDict(holding('net_d', others)).path).toEqual([]);
    expect(findStateDict(holding('old', weights)).path).toEqual([]);
  });

  it('ends where a dict holds itself', () => {
    const loop = new Map<PickleValue, PickleValue>([['weights', weights]]);
    loop.set('self', loop);
    expect(findStateDict(loop).path).toEqual(['weights']);
  });

  it.each<PickleValue>([null, 42, 'weights', [7], dict({ state_dict: empty }), dict({ weight: 1 })])(
    'refuses %p, which holds no tensors',
    (tree) => {
      expect(refusalOf(() => findStateDict(tree)).kind).toBe('not-a-checkpoint');
    },
  );
});

describe('besides', () => {
  it('names what stands beside the keys that led to the state dict', () => {
    const tree = dict({ state_dict: dict({ params: others, params_ema: weights }), epoch: 3 });
    expect(besides(tree, ['state_dict', 'params_ema'])).toEqual(['epoch', 'state_dict.params']);
    const indexed = new Map<PickleValue, PickleValue>([
      [0, others],
      [1, dict({ weights, step: 3 })],
    ]);
    expect(besides(indexed, ['1', 'weights'])).toEqual(['0', '1.step']);
    expect(besides(weights, [])).toEqual([]);
  });
});

describe('noTensors', () => {
  it.each(['numpy.core.multiarray _reconstruct', 'numpy._core.numeric _frombuffer'])(
    'says that %s is no tensor',
    (name) => {
      const [module = '', made = ''] = name.split(' ');
      const array = new PickleCall(new PickleGlobal(module, made), []);
      for (const tree of [dict({ 'a.weight': array }), dict({ iter: 3, params: dict({ 'a.weight': array }) })]) {
        expect(noTensors(tree).message).toMatch(/found arrays of NumPy: .*torch\.from_numpy/);
      }
    },
  );

  it('says what is there instead', () => {
    const tree = new Map<PickleValue, PickleValue>([
      ['epoch', 3],
      [0, 1],
    ]);
    expect(noTensors(tree).message).toMatch(/'epoch', the number 0$/);
    expect(noTensors(new Map()).message).toMatch(/an empty dict$/);
  });

  it('knows the state of a training', () => {
    const state = dict({ epoch: 3, optimizers: dict({}), schedulers: dict({}) });
    expect(noTensors(state).message).toMatch(/the state of a training without the weights: take those .*net_g/);
  });
});
