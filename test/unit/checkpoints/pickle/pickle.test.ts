import { describe, expect, it } from '@jest/globals';
import { ByteCursor } from '../../../../app/checkpoints/byte-cursor.ts';
import { unpickle } from '../../../../app/checkpoints/pickle/pickle.ts';
import type { PickleValue } from '../../../../app/checkpoints/pickle/pickle-values.ts';
import {
  PersistentReference,
  PickleCall,
  PickleGlobal,
  PickleTuple,
} from '../../../../app/checkpoints/pickle/pickle-values.ts';
import { refusalOf } from '../refusal.ts';

/** A pickle without header and end, a character per byte. */
function load(body: string, protocol = 2): PickleValue {
  const bytes = Buffer.from(`\u0080${String.fromCharCode(protocol)}${body}.`, 'latin1');
  return unpickle(cursorOver(bytes), (module, name) => new PickleGlobal(module, name)).value;
}

function cursorOver(bytes: Buffer): ByteCursor {
  return new ByteCursor((offset, length) => bytes.subarray(offset, offset + length), 0, bytes.length);
}

const kindFor = (body: string, protocol?: number) => refusalOf(() => load(body, protocol)).kind;

describe('unpickle', () => {
  it.each<[string, string, PickleValue]>([
    ['NONE', 'N', null],
    ['NEWTRUE', '\u0088', true],
    ['NEWFALSE', '\u0089', false],
    ['BININT1', 'K\u00ff', 255],
    ['BININT2', 'M\u0001\u0002', 513],
    ['BININT', 'J\u00fe\u00ff\u00ff\u00ff', -2],
    ['LONG1 of no bytes', '\u008a\u0000', 0],
    ['LONG1 of one byte', '\u008a\u0001\u00ff', -1],
    ['LONG1 of five bytes', '\u008a\u0005\u0000\u0000\u0000\u0000\u0001', 2 ** 32],
    ['LONG1 that a double holds', '\u008a\u0007\u0000\u0000\u0000\u0000\u0000\u0000\u0010', 2 ** 52],
    ['LONG1 beyond 2^53', '\u008a\u0008\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0040', 2n ** 62n + 1n],
    ['a negative LONG1', `\u008a\u0009${'\u0000'.repeat(8)}\u0080`, -(2n ** 71n)],
    ['BINFLOAT', 'G\u003f\u00f8\u0000\u0000\u0000\u0000\u0000\u0000', 1.5],
    ['BINUNICODE', 'X\u0003\u0000\u0000\u0000a\u00c3\u00a9', 'aé'],
    ['SHORT_BINUNICODE', '\u008c\u0002ab', 'ab'],
    ['SHORT_BINSTRING', 'U\u0001w', 'w'],
    ['a byte order mark, kept', '\u008c\u0003\u00ef\u00bb\u00bf', '\ufeff'],
    ['EMPTY_TUPLE', ')', new PickleTuple([])],
    ['TUPLE1', 'N\u0085', new PickleTuple([null])],
    ['TUPLE2', 'K\u0001K\u0002\u0086', new PickleTuple([1, 2])],
    ['TUPLE3', 'K\u0001K\u0002K\u0003\u0087', new PickleTuple([1, 2, 3])],
    ['TUPLE', '(K\u0001NNNt', new PickleTuple([1, null, null, null])],
    ['APPEND', ']K\u0001a', [1]],
    ['APPENDS', '](K\u0001K\u0002e', [1, 2]],
    ['SETITEM', '}K\u0001K\u0002s', new Map([[1, 2]])],
    [
      'SETITEMS',
      '}(K\u0001NK\u0002\u0088u',
      new Map<PickleValue, PickleValue>([
        [1, null],
        [2, true],
      ]),
    ],
    ['ADDITEMS', '\u008f(K\u0001K\u0001K\u0002\u0090', new Set([1, 2])],
    ['FROZENSET', '(K\u0001K\u0001K\u0002\u0091', new Set([1, 2])],
    ['BINBYTES8', `\u008e\u0002${'\u0000'.repeat(7)}ab`, Buffer.from('ab')],
    ['BYTEARRAY8', `\u0096\u0002${'\u0000'.repeat(7)}ab`, Buffer.from('ab')],
    ['memo', 'K\u0007q\u0005h\u0005\u0086', new PickleTuple([7, 7])],
    ['LONG_BINPUT', 'Nr\u0000\u0000\u0000\u0001j\u0000\u0000\u0000\u0001\u0086', new PickleTuple([null, null])],
    ['MEMOIZE', 'K\u0009\u0094h\u0000\u0086', new PickleTuple([9, 9])],
    ['GLOBAL', 'cos\nsystem\n', new PickleGlobal('os', 'system')],
    ['STACK_GLOBAL', '\u008c\u0002os\u008c\u0006system\u0093', new PickleGlobal('os', 'system')],
    ['BINPERSID', 'K\u0001Q', new PersistentReference(1)],
    [
      'REDUCE, recorded and not made',
      'cos\nsystem\n\u008c\u0002ls\u0085R',
      new PickleCall(new PickleGlobal('os', 'system'), ['ls']),
    ],
    ['NEWOBJ', 'ca\nB\n)\u0081', new PickleCall(new PickleGlobal('a', 'B'), [])],
    ['an OrderedDict', 'ccollections\nOrderedDict\n)R(K\u0001K\u0002u', new Map([[1, 2]])],
    ['an OrderedDict of pairs', 'ccollections\nOrderedDict\n](](K\u0001K\u0002ee\u0085R', new Map([[1, 2]])],
    ['a Counter', 'ccollections\nCounter\n}K\u0001K\u0002s\u0085R', new Map([[1, 2]])],
    ['a defaultdict', 'ccollections\ndefaultdict\ncbuiltins\nlist\n\u0085R', new Map()],
    ['BUILD, dropped', 'ccollections\nOrderedDict\n)R}\u008c\u0009__proto__}sb', new Map()],
  ])('reads %s', (_name, body, expected) => {
    expect(load(body)).toEqual(expected);
  });

  it('shares what the pickle shares, a list inside of itself included', () => {
    const list = load(']q\u0001h\u0001a') as PickleValue[];
    expect(list[0]).toBe(list);
  });

  it('keeps keys such as __proto__ away from prototypes', () => {
    const dict = load('}\u008c\u0009__proto__}\u008c\u0008polluted\u0088ss') as Map<string, Map<string, boolean>>;
    expect(dict.get('__proto__')?.get('polluted')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('leaves the cursor behind STOP, for the next pickle', () => {
    const cursor = cursorOver(Buffer.from('\u0080\u0002K\u0001.\u0080\u0002K\u0002.', 'latin1'));
    const resolve = (module: string, name: string) => new PickleGlobal(module, name);
    expect([unpickle(cursor, resolve).value, unpickle(cursor, resolve).value, cursor.remaining]).toEqual([1, 2, 0]);
  });

  it('lists references to storages in their order', () => {
    const bytes = Buffer.from('\u0080\u0002](K\u0001QK\u0002Qe.', 'latin1');
    const { references } = unpickle(cursorOver(bytes), (module, name) => new PickleGlobal(module, name));
    expect(references.map(({ id }) => id)).toEqual([1, 2]);
  });

  it.each([
    ['an unknown opcode', '\u00ff'],
    ['INST', '(ios\nsystem\n'],
    ['OBJ', '(cos\nsystem\no'],
    ['EXT1', '\u0082\u0001'],
    ['PERSID', 'Pkey\n'],
    ['POP', 'NN0'],
    ['an empty stack', ''],
    ['a result inside a mark', 'N('],
    ['SETITEMS without a mark', '}u'],
    ['a pop through a mark', '}(s'],
    ['a key without a value', '}(Nu'],
    ['an unhashable key', '}]Ns'],
    ['a set of lists', '(]\u0091'],
    ['items of a list', ']NNs'],
    ['appending to a dict', '}Na'],
    ['adding to a list', '](N\u0090'],
    ['a memo that was never put', 'h\u0003'],
    ['a call of a call', 'ca\nb\n)R)R'],
    ['a call of a string', '\u008c\u0001a)R'],
    ['arguments that are no tuple', 'ca\nb\n]R'],
    ['attributes of a number', 'K\u0001}b'],
    ['a class name that is no text', 'K\u0001K\u0002\u0093'],
    ['a class name without end', `c${'a'.repeat(1000)}\n`],
    ['a string that is not UTF-8', '\u008c\u0001\u00ff'],
    ['an OrderedDict of something else', 'ccollections\nOrderedDict\n](K\u0001e\u0085R'],
  ])('refuses %s', (_name, body) => {
    expect(kindFor(body)).toBe('bad-pickle');
  });

  it.each([0, 1, 6, 99])('refuses protocol %d', (protocol) => {
    expect(kindFor('N', protocol)).toBe('bad-pickle');
  });

  it('says which opcode broke and where', () => {
    expect(refusalOf(() => load('}Na')).message).toBe('broken pickle (APPEND at byte 4): cannot append to a dict');
  });

  it.each([
    ['a frame', '\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f', 'truncated'],
    ['a short string', 'U\u00ff', 'truncated'],
    ['a string', 'X\u0000\u0000\u0001\u0000', 'truncated'],
    ['a long string', 'X\u00ff\u00ff\u00ff\u00ff', 'too-large'],
    ['bytes', 'B\u00ff\u00ff\u00ff\u00ff', 'too-large'],
    ['long bytes', `\u008e${'\u00ff'.repeat(8)}`, 'too-large'],
    ['an array of bytes', `\u0096\u0000\u0000\u0001${'\u0000'.repeat(5)}`, 'truncated'],
  ])('refuses %s that announces more than there is', (_name, body, kind) => {
    expect(kindFor(body)).toBe(kind);
  });

  it.each([
    ['marks', 101, '(', 'too-deep'],
    ['objects', 1_000_001, ']', 'too-large'],
    ['values', 1_000_001, 'N', 'too-large'],
    ['operations', 2_000_001, 'Na', 'too-large'],
  ])('refuses too many %s within two seconds of CPU time', (_name, count, repeated, kind) => {
    const start = process.cpuUsage(); // not the clock: other processes may have it
    expect(kindFor(`]${repeated.repeat(count)}`)).toBe(kind);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(2);
  });

  it('refuses too many memorised values', () => {
    const bytes = Buffer.alloc(5 * 1_000_002);
    for (let i = 0; i * 5 < bytes.length; i++) {
      bytes[i * 5] = 0x72;
      bytes.writeUInt32LE(i, i * 5 + 1);
    }
    expect(kindFor(`N${bytes.toString('latin1')}`)).toBe('too-large');
  });

  it('does not mind depth where it costs nothing', () => {
    expect(load(`)${'\u0085'.repeat(200_000)}`)).toBeInstanceOf(PickleTuple);
  });
});
