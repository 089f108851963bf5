import { describe, expect, it } from '@jest/globals';
import type { PickleDict, PickleValue } from '../../../app/checkpoints/pickle/pickle-values.ts';
import { settingsBeside, settingsInTexts } from '../../../app/checkpoints/settings.ts';

function dict(entries: Readonly<Record<string, PickleValue>>): PickleDict {
  return new Map(Object.entries(entries));
}

describe('What a file says of its network', () => {
  it.each<[string, PickleValue, readonly string[]]>([
    ['traiNNer-redux', dict({ metadata: dict({ act_type: 'relu' }), params: dict({}) }), ['params']],
    ['Lightning', dict({ hyper_parameters: dict({ act_type: 'relu' }), state_dict: dict({}) }), ['state_dict']],
    ['BasicSR', dict({ opt: dict({ network_g: dict({ act_type: 'relu' }) }), params: dict({}) }), ['params']],
    ['one dict further out', dict({ a: dict({ config: dict({ act_type: 'relu' }), b: dict({}) }) }), ['a', 'b']],
  ])('is found where %s puts it', (_name, tree, path) => {
    expect(settingsBeside(tree, path).get('act_type')).toBe('relu');
  });

  it('is that of the network, and of the nearest dict where two say it', () => {
    const outer = dict({ act_type: 'gelu', scale: 4 });
    const options = dict({
      network_g: dict({ act_type: 'relu' }),
      network_d: dict({ act_type: 'none', norm: 'batch' }),
    });
    const tree = dict({ metadata: outer, inner: dict({ opt: options, params: dict({}) }) });
    expect(Object.fromEntries(settingsBeside(tree, ['inner', 'params']))).toEqual({ act_type: 'relu', scale: 4 });
  });

  it('holds values alone, and ends where dicts hold themselves', () => {
    const config = dict({ act_type: 'relu', blocks: [1, 2], nothing: null });
    config.set('config', config);
    const tree = dict({ config, params: dict({}) });
    expect([...settingsBeside(tree, ['params'])]).toEqual([
      ['act_type', 'relu'],
      ['nothing', null],
    ]);
  });

  it.each([
    [{ act_type: 'relu', learn_residual: 'False', upscale: '2', slope: '-0.5', norm: 'None' }],
    [{ metadata: '{"act_type":"relu","learn_residual":false,"upscale":2,"slope":-0.5,"norm":null}' }],
    [{ any: ' {"network_g":{"act_type":"relu","learn_residual":false,"upscale":2,"slope":-0.5,"norm":null}}' }],
  ])('is read from the texts of a .safetensors: %j', (texts) => {
    const found = settingsInTexts(new Map(Object.entries(texts)));
    expect(Object.fromEntries(found)).toEqual({
      act_type: 'relu',
      learn_residual: false,
      upscale: 2,
      slope: -0.5,
      norm: null,
    });
  });

  it.each(['{"act_type":', '{"__proto__":{"act_type":"relu"}}', `{"act_type":"${'x'.repeat(70_000)}"}`])(
    'is nothing where a text is %.30s',
    (text) => expect(settingsInTexts(new Map([['metadata', text]])).get('act_type')).toBeUndefined(),
  );
});
