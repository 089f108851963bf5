import { describe, expect, it } from '@jest/globals';
import { ByteCursor } from '../../../../app/checkpoints/byte-cursor.ts';
import { unpickle } from '../../../../app/checkpoints/pickle/pickle.ts';
import { PickleBudget } from '../../../../app/checkpoints/pickle/pickle-budget.ts';
import { resolveTorchGlobal } from '../../../../app/checkpoints/pickle/torch-globals.ts';
import { refusalOf } from '../refusal.ts';

function load(body: Buffer, budget?: PickleBudget): unknown {
  const bytes = Buffer.concat([Buffer.of(0x80, 2), body, Buffer.from('.')]);
  const cursor = new ByteCursor((offset, length) => bytes.subarray(offset, offset + length), 0, bytes.length);
  return unpickle(cursor, resolveTorchGlobal, budget).value;
}

const integer = (value: number) => Buffer.from([0x4a, value & 255, (value >> 8) & 255, (value >> 16) & 255, 0]);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
/** Memorises a class as 1, and calls it `times` times with what is memorised as 0. */
const calls = (name: string, times: number) =>
  Buffer.from(`q\u0000c${name.replace('.', '\n')}\nq\u0001${'h\u0001h\u0000\u0085R'.repeat(times)}`, 'latin1');

const pairs = (count: number) =>
  Buffer.concat([
    Buffer.from(']('),
    ...range(count).map((i) => Buffer.concat([integer(i), Buffer.from('N\u0086', 'latin1')])),
    Buffer.from('e'),
  ]);
const entries = (count: number) =>
  Buffer.concat([
    Buffer.from('}('),
    ...range(count).map((i) => Buffer.concat([integer(i), Buffer.from('N')])),
    Buffer.from('u'),
  ]);

describe('PickleBudget', () => {
  it.each([
    ['a dict of 100,000 pairs into 2,000 OrderedDicts', entries(100_000), 'collections.OrderedDict'],
    ['a dict of 100,000 pairs into 2,000 Counters', entries(100_000), 'collections.Counter'],
    ['a list of 100,000 pairs into 2,000 OrderedDicts', pairs(100_000), 'collections.OrderedDict'],
  ])('counts what is copied: %s are refused before they take memory', (_what, shared, name) => {
    const body = Buffer.concat([shared, calls(name, 2000)]);
    const before = process.memoryUsage().rss;
    const start = process.cpuUsage();
    expect(refusalOf(() => load(body))).toMatchObject({
      kind: 'too-large',
      message: 'the pickle holds calls that copy more than 250000 entries, which no model needs',
    });
    const { user } = process.cpuUsage(start);
    expect(user / 1e6).toBeLessThan(2);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  it('lets an OrderedDict be made of 50,000 pairs, as Python 2 wrote it', () => {
    expect(load(Buffer.concat([pairs(50_000), calls('collections.OrderedDict', 1)]))).toHaveProperty('size', 50_000);
  });

  it('is one for all pickles that share it', () => {
    const budget = new PickleBudget();
    const dicts = Buffer.from('}0'.repeat(200_000) + 'N');
    // '0' is POP, which torch.save never writes: lists of dicts instead.
    const body = Buffer.from(`](${'}'.repeat(200_000)}e`);
    expect(refusalOf(() => load(dicts)).kind).toBe('bad-pickle');
    load(body, budget);
    load(body, budget);
    expect(refusalOf(() => load(body, budget)).message).toMatch(/more than 500000 objects/);
  });

  it('bounds the operations and the bytes', () => {
    expect(refusalOf(() => load(Buffer.from(`${']Na'.repeat(1)}${'N\u0085'.repeat(10)}`))).kind).toBe('bad-pickle');
    expect(
      refusalOf(() => load(Buffer.from(`](${'N'.repeat(900_000)}e](${'N'.repeat(900_000)}e](${'N'.repeat(900_000)}e`)))
        .message,
    ).toMatch(/more than 2500000 operations/);
    const long = Buffer.concat([Buffer.from('X'), Buffer.from([0, 0, 16, 0]), Buffer.alloc(1 << 20, 'a')]);
    expect(refusalOf(() => load(Buffer.concat(Array.from({ length: 33 }, () => long)))).message).toMatch(
      /more than 33554432 bytes/,
    );
  });
});
