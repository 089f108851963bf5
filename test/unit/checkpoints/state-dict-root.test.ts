import { describe, expect, it } from '@jest/globals';
import type { PickleValue } from '../../../app/checkpoints/pickle/pickle-values.ts';
import { noTensors, stripCommonPrefixes, unwrapStateDict } from '../../../app/checkpoints/state-dict-root.ts';
import { refusalOf } from './refusal.ts';

const dict = (entries: Record<string, PickleValue>): PickleValue => new Map(Object.entries(entries));
const weights = dict({ 'conv.weight': 1, 'conv.bias': 2 });

describe('unwrapStateDict', () => {
  it.each<[string, PickleValue, string[]]>([
    ['the state dict itself', weights, []],
    ['params_ema before params', dict({ params: dict({}), params_ema: weights }), ['params_ema']],
    ['state_dict before params', dict({ params: dict({}), state_dict: weights }), ['state_dict']],
    ['model beside opt', dict({ model: weights, opt: dict({ state: dict({}) }) }), ['model']],
    ['a known key that is no dict, passed over', dict({ model: 'rrdb', net: weights }), ['net']],
    ['a single key of any name', dict({ generator: weights }), ['generator']],
    ['a single key inside a known one', dict({ model: dict({ g: weights }), epoch: 1 }), ['model', 'g']],
  ])('finds %s', (_name, tree, path) => {
    expect(unwrapStateDict(tree)).toEqual({ path, dict: weights });
  });

  it('does not look for the state dict in a single value that is no dict', () => {
    expect(unwrapStateDict(dict({ weight: 1 })).path).toEqual([]);
  });

  it.each<PickleValue>([null, 42, 'weights', [weights]])('refuses %p, which is no dict', (tree) => {
    expect(refusalOf(() => unwrapStateDict(tree)).kind).toBe('not-a-checkpoint');
  });
});

describe('stripCommonPrefixes', () => {
  const strip = (...names: string[]) => [...stripCommonPrefixes(new Map(names.map((name) => [name, 0]))).keys()];

  it.each([
    [
      ['module.a', 'module.b'],
      ['a', 'b'],
    ],
    [
      ['netG.a', 'netG.b'],
      ['a', 'b'],
    ],
    [['module.netG.a'], ['a']],
    [
      ['module.a', 'b'],
      ['module.a', 'b'],
    ],
    [['module.module.a'], ['module.a']],
    [
      ['module.', 'module.a'],
      ['module.', 'module.a'],
    ],
    [['modules.a'], ['modules.a']],
  ])('turns %j into %j', (names, expected) => {
    expect(strip(...names)).toEqual(expected);
  });
});

describe('noTensors', () => {
  it('says what is there instead', () => {
    expect(
      noTensors(
        new Map<PickleValue, PickleValue>([
          ['epoch', 3],
          [0, 1],
        ]),
      ).message,
    ).toMatch(/'epoch', the number 0$/);
    expect(noTensors(new Map()).message).toMatch(/an empty dict$/);
  });
});
