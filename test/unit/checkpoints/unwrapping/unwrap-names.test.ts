import { describe, expect, it } from '@jest/globals';
import { isWeight, unwrapNames } from '../../../../app/checkpoints/unwrapping/unwrap-names.ts';

const weight = { shape: [4, 3, 3, 3], dtype: 'float32' } as const;
const counter = { shape: [], dtype: 'int64' } as const;

function unwrap(...names: readonly string[]) {
  const counters = /(^|\.)(step|n_averaged|num_batches_tracked)$/;
  const tensors = new Map(names.map((name) => [name, counters.test(name) ? counter : weight]));
  const unwrapped = unwrapNames(tensors);
  return { names: [...unwrapped.tensors.keys()], leftOut: unwrapped.leftOut };
}

describe('unwrapNames', () => {
  it.each([
    ['module.a', 'a'],
    ['module.module.a', 'a'],
    ['netG.module.a.weight', 'a.weight'],
    ['_orig_mod.module.a.weight', 'a.weight'],
    ['state_dict.params_ema.conv.weight', 'conv.weight'],
    ['model.0.weight', 'model.0.weight'],
    ['model.model.0.weight', 'model.0.weight'],
    ['net_g.body.0.weight', 'body.0.weight'],
    ['conv.weight', 'conv.weight'],
    ['modules.a', 'modules.a'],
    ['w', 'w'],
    ['module.', 'module.'],
  ])('makes %s into %s', (name, expected) => {
    expect(unwrap(name)).toEqual({ names: [expected], leftOut: [] });
  });

  it.each([
    ['what all weights share, and not the counters', ['step', 'module.a.w', 'module.b.w'], ['a.w', 'b.w'], ['step']],
    ['nothing that only some share', ['module.a.w', 'b.w'], ['module.a.w', 'b.w'], []],
    ['and leaves out a discriminator', ['generator.a.w', 'discriminator.a.w'], ['a.w'], ['discriminator.a.w']],
    ['and leaves out a loss', ['vqvae.a.w', 'vqvae.b.w', 'loss.c.w'], ['a.w', 'b.w'], ['loss.c.w']],
    [
      'and takes the average',
      ['net.a.w', 'net.b.w', 'net_ema.a.w', 'net_ema.b.w'],
      ['a.w', 'b.w'],
      ['net.a.w', 'net.b.w'],
    ],
    [
      'and takes the average, which is a module of its own',
      ['net._orig_mod.a.w', 'net._orig_mod.b.w', 'net_ema.module.a.w', 'net_ema.module.b.w', 'net_ema.n_averaged'],
      ['a.w', 'b.w'],
      ['net._orig_mod.a.w', 'net._orig_mod.b.w', 'net_ema.n_averaged'],
    ],
    [
      'and leaves out losses under whatever name',
      ['net.a.w', 'net.b.w', 'perceptual_loss.vgg.c.w', 'vgg19.d.w', 'loss_fn.e.w'],
      ['a.w', 'b.w'],
      ['perceptual_loss.vgg.c.w', 'vgg19.d.w', 'loss_fn.e.w'],
    ],
    [
      'and leaves out an average of other names',
      ['model.a.w', 'model.b.w', 'model_ema.aw', 'model_ema.bw'],
      ['a.w', 'b.w'],
      ['model_ema.aw', 'model_ema.bw'],
    ],
    [
      'again and again',
      ['m.module.g.a.w', 'm.module.g.b.w', 'm.module.netD.c.w'],
      ['a.w', 'b.w'],
      ['m.module.netD.c.w'],
    ],
    [
      'and keeps counters of the network',
      ['module.bn.weight', 'module.bn.num_batches_tracked'],
      ['bn.weight', 'bn.num_batches_tracked'],
      [],
    ],
  ])('takes off %s', (_what, names, expected, leftOut) => {
    expect(unwrap(...names)).toEqual({ names: expected, leftOut });
  });
});

describe('isWeight', () => {
  it.each([
    ['conv.total_ops', [1], 'float64', false], // of a profiler
    ['conv.total_params', [1], 'float64', false],
    ['conv.weight', [1], 'float32', true],
    ['scale', [], 'float32', true],
    ['index', [], 'int64', false],
    ['rng', [5056], 'uint8', false],
  ] as const)('of %s of shape %j and %s is %s', (name, shape, dtype, expected) => {
    expect(isWeight(name, { shape, dtype })).toBe(expected);
  });
});
