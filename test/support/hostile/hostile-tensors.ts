import { Pickler } from '../checkpoints/pickler.ts';
import type { HostileFile } from './hostile-file.ts';
import { bytes, pthOf, safetensorsOf, uint64, zipOf } from './hostile-file.ts';

const MAX = Number.MAX_SAFE_INTEGER;

interface Lie {
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly count?: number;
  readonly key?: string;
  readonly storage?: string;
}

/** A .pth of one tensor over a storage of eight floats, in which one thing is not so. */
function lyingPth({
  shape = [8],
  strides = [1],
  offset = 0,
  count = 8,
  key = '0',
  storage = 'FloatStorage',
}: Lie): Buffer {
  const pickler = new Pickler().op('}').put().string('w');
  pickler.global('torch._utils', '_rebuild_tensor_v2').op('((').string('storage').global('torch', storage);
  pickler.string(key).string('cpu').integer(count).op('tQ').integer(offset).integers(shape).integers(strides);
  const pickle = pickler.op('\u0089').emptyOrderedDict().op('tRs').finish();
  return pthOf(pickle.subarray(2, -1), { 0: Buffer.alloc(32) });
}

const LIES: Readonly<Record<string, Lie>> = {
  'beyond-storage': { shape: [9] },
  'offset-beyond': { offset: 1 },
  'stride-beyond': { shape: [2], strides: [8] },
  'shape-huge': { shape: [MAX] },
  'shape-product-huge': { shape: [2 ** 30, 2 ** 30, 2 ** 30], strides: [0, 0, 0] },
  'expanded-to-4-gb': { shape: [2 ** 30], strides: [0] },
  'rank-100': { shape: new Array<number>(100).fill(1), strides: new Array<number>(100).fill(1) },
  'strides-missing': { shape: [2, 4], strides: [1] },
  'storage-missing': { key: '7' },
  'storage-climbs': { key: '../../../../etc/passwd' },
  'storage-length-lies': { count: 2 ** 40 },
  'storage-of-nothing': { count: 0 },
  'storage-of-float8': { storage: 'Float8_e4m3fnStorage' },
  'storage-of-complex': { storage: 'ComplexFloatStorage' },
  'storage-of-quantised': { storage: 'QInt8Storage' },
};

const NAMES: Readonly<Record<string, string>> = {
  ansi: '\u001b[2J\u001b]0;owned\u0007',
  lines: 'a\nhiresfix: all is well\n',
  bidi: '\u202egpj.exe',
  long: 'A'.repeat(1 << 20),
  proto: '__proto__',
  climbs: '../../../../etc/cron.d/x',
  nul: 'a\u0000b',
};

const header = (entries: Readonly<Record<string, unknown>>) => safetensorsOf(JSON.stringify(entries), Buffer.alloc(32));
const tensor = (
  begin: number,
  end: number,
  shape: readonly unknown[] = [(end - begin) / 4],
  dtype: unknown = 'F32',
) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const text = JSON.stringify({ w: tensor(0, 32) });

const SAFETENSORS: Readonly<Record<string, Uint8Array>> = {
  'length-huge': bytes(uint64(2n ** 63n), '{}'),
  'length-beyond': bytes(uint64(1000), '{}'),
  'length-of-all': safetensorsOf(text, Buffer.alloc(0)),
  'header-empty': safetensorsOf('{}'),
  'header-list': safetensorsOf('[]', Buffer.alloc(0)),
  'header-open': safetensorsOf('{"w":{"dtype":"F32"', Buffer.alloc(32)),
  'header-not-utf8': safetensorsOf(bytes('{"\u00ff":1}')),
  'header-deep': safetensorsOf(`{"w":${'['.repeat(200_000)}`),
  'header-deep-objects': safetensorsOf('{"w":'.repeat(100_000)),
  'header-spaces': safetensorsOf(`{${' '.repeat(3 << 20)}}`),
  'metadata-numbers': safetensorsOf(`{"__metadata__":{"a":1},${text.slice(1)}`, Buffer.alloc(32)),
  'twice-the-same': safetensorsOf(
    `{"w":${JSON.stringify(tensor(0, 16))},"w":${JSON.stringify(tensor(16, 32))}}`,
    Buffer.alloc(32),
  ),
  overlap: header({ a: tensor(0, 20), b: tensor(16, 32) }),
  gap: header({ a: tensor(0, 16), b: tensor(20, 32) }),
  reversed: header({ a: tensor(32, 0, [8]) }),
  'offset-huge': header({ a: { dtype: 'F32', shape: [8], data_offsets: [0, 1e300] } }),
  'offset-fraction': header({ a: { dtype: 'F32', shape: [8], data_offsets: [0, 31.5] } }),
  'shape-negative': header({ a: tensor(0, 32, [-8]) }),
  'shape-huge': header({ a: tensor(0, 32, [2 ** 53, 2 ** 53]) }),
  'shape-text': header({ a: tensor(0, 32, ['8']) }),
  'dtype-unknown': header({ a: tensor(0, 32, [8], 'F4_E2M1') }),
  'dtype-number': header({ a: tensor(0, 32, [8], 7) }),
  'field-unknown': header({ a: { ...tensor(0, 32), run: 'touch canary' } }),
  'data-after': safetensorsOf(text, Buffer.alloc(64)),
  'data-short': safetensorsOf(text, Buffer.alloc(31)),
};

const pickled = pthOf(bytes('}'));

/** Archives that are broken, or are not what they say. */
const ZIPS: Readonly<Record<string, Uint8Array>> = {
  'two-pickles': zipOf([
    ['a/data.pkl', bytes('N')],
    ['b/data.pkl', bytes('N')],
  ]),
  'member-twice': zipOf([
    ['a/data.pkl', bytes('N.')],
    ['a/data.pkl', bytes('N.')],
  ]),
  'pickle-deep-down': zipOf([['a/b/c/data.pkl', bytes('N.')]]),
  'name-climbs': zipOf([['../data.pkl', bytes('N.')]]),
  'name-absolute': zipOf([['/etc/data.pkl', bytes('N.')]]),
  'name-ansi': zipOf([['\u001b[2J.pth', bytes('N.')]]),
  torchscript: zipOf([
    ['a/data.pkl', bytes('N.')],
    ['a/constants.pkl', bytes('N.')],
    ['a/code/x.py', bytes('pass')],
  ]),
  'byteorder-odd': zipOf([
    ['a/data.pkl', bytes('\u0080\u0002}.')],
    ['a/byteorder', bytes('middle')],
  ]),
  'many-members': zipOf(Array.from({ length: 20_000 }, (_, i) => [`m/${i}`, Buffer.alloc(0)] as const)),
  'pickle-empty': zipOf([['a/data.pkl', Buffer.alloc(0)]]),
  'flag-encrypted': flipped(pickled, pickled.length - 98 - 46 - 15 + 8, 0x01),
  'comment-beyond': bytes(pickled.subarray(0, -2), '\u00ff\u00ff'),
  'end-record-only': bytes('PK\u0003\u0004', Buffer.alloc(60), pickled.subarray(-22)),
  'directory-beyond': bytes(pickled.subarray(0, -6), '\u00ff\u00ff\u00ff\u007f\u0000\u0000'),
  'data-before': bytes('PK\u0003\u0004', Buffer.alloc(1000), pickled),
};

function flipped(source: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(source);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}

export const HOSTILE_TENSORS: readonly HostileFile[] = [
  ...Object.entries(LIES).map(([name, lie]) => ({ name: `tensor-${name}.pth`, bytes: lyingPth(lie) })),
  ...Object.entries(NAMES).map(([name, text]) => ({
    name: `name-${name}.safetensors`,
    bytes: header({ [text]: tensor(0, 32) }),
  })),
  ...Object.entries(SAFETENSORS).map(([name, contents]) => ({ name: `header-${name}.safetensors`, bytes: contents })),
  ...Object.entries(ZIPS).map(([name, contents]) => ({ name: `zip-${name}.pth`, bytes: contents })),
];
