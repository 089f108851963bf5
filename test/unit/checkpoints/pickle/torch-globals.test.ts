import { describe, expect, it } from '@jest/globals';
import { PickleGlobal } from '../../../../app/checkpoints/pickle/pickle-values.ts';
import { dtypeOfStorage, resolveTorchGlobal } from '../../../../app/checkpoints/pickle/torch-globals.ts';
import { refusalOf } from '../refusal.ts';

describe('resolveTorchGlobal', () => {
  it.each([
    ['collections', 'OrderedDict'],
    ['torch._utils', '_rebuild_tensor_v2'],
    ['torch._utils', '_rebuild_parameter'],
    ['torch', 'FloatStorage'],
    ['numpy._core.multiarray', 'scalar'],
    ['numpy.core.multiarray', 'scalar'],
  ])('gives %s.%s as an inert name', (module, name) => {
    expect(resolveTorchGlobal(module, name)).toEqual(new PickleGlobal(module, name));
  });

  it.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['builtins', '__import__'],
    ['torch', 'load'],
    ['torch.storage', '_load_from_bytes'],
    ['torch.serialization', 'load'],
    ['torch.hub', 'load'],
    ['torch', '_utils._rebuild_tensor_v2'],
    ['torch.', 'FloatStorage'],
    ['', 'torch.FloatStorage'],
    ['numpy.core.multiarray', 'fromfile'],
    ['constructor', 'constructor'],
    ['__proto__', 'toString'],
  ])('refuses %s.%s and names it', (module, name) => {
    const refusal = refusalOf(() => resolveTorchGlobal(module, name));
    expect(refusal.kind).toBe('forbidden-global');
    expect(refusal.message).toContain(`${module}.${name}`);
  });

  it('keeps control characters of a hostile name out of the message', () => {
    const refusal = refusalOf(() => resolveTorchGlobal('os\u001b[31m', `x${'y'.repeat(500)}`));
    expect(refusal.message).not.toContain('\u001b');
    expect(refusal.message.length).toBeLessThan(500);
  });

  it.each(['_rebuild_sparse_tensor', '_rebuild_qtensor', '_rebuild_nested_tensor'])('has no %s', (name) => {
    expect(refusalOf(() => resolveTorchGlobal('torch._utils', name)).kind).toBe('unsupported');
  });

  it('says of tensors of the device meta that they have no numbers', () => {
    const refusal = refusalOf(() => resolveTorchGlobal('torch._utils', '_rebuild_meta_tensor_no_storage'));
    expect(refusal).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('without numbers') });
  });

  it.each([
    ['torch.nn.modules.conv', 'Conv2d'],
    ['basicsr.archs.rrdbnet_arch', 'RRDBNet'],
    ['models.network_swinir', 'SwinIR'],
  ])('says of %s.%s that a network was pickled whole', (module, name) => {
    const refusal = refusalOf(() => resolveTorchGlobal(module, name));
    expect(refusal.kind).toBe('forbidden-global');
    expect(refusal.message).toMatch(
      /^a whole network was pickled .*Nothing was run.*torch\.save\(model\.state_dict\(\)/,
    );
  });

  it.each(['QInt8Storage', 'ComplexFloatStorage', 'float8_e4m3fn', 'uint16', 'complex64', 'qint8'])(
    'has no %s',
    (name) => {
      expect(refusalOf(() => resolveTorchGlobal('torch', name)).kind).toBe('unsupported-dtype');
    },
  );
});

describe('dtypeOfStorage', () => {
  it('knows what the elements of a typed storage are', () => {
    expect(dtypeOfStorage(new PickleGlobal('torch', 'BFloat16Storage'))).toBe('bfloat16');
  });

  it('refuses what is no typed storage', () => {
    const untyped = new PickleGlobal('torch.storage', 'UntypedStorage');
    expect(refusalOf(() => dtypeOfStorage(untyped)).kind).toBe('unsupported-dtype');
  });
});
