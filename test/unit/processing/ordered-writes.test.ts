import { describe, expect, it } from '@jest/globals';
import { OrderedWrites } from '../../../app/processing/ordered-writes.ts';

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void; readonly fail: (error: Error) => void } {
  let open = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { opened, open, fail };
}

describe('Results that are written side by side', () => {
  it('are put in place in their order, whichever is encoded first', async () => {
    const writes = new OrderedWrites(2);
    const [first, told] = [gate(), [] as string[]];
    const write = (name: string, encoded: Promise<void>) => async (turn: Promise<void>) => {
      await encoded;
      told.push(`${name} encoded`);
      await turn;
      told.push(name);
    };
    await writes.add(write('one', first.opened));
    await writes.add(write('two', Promise.resolve()));
    await new Promise(setImmediate);
    expect(told).toEqual(['two encoded']);
    first.open();
    await writes.through();
    expect(told).toEqual(['two encoded', 'one encoded', 'one', 'two']);
  });

  it('are no more at once than is said: the next waits for a place', async () => {
    const writes = new OrderedWrites(2);
    const gates = [gate(), gate(), gate()];
    let started = 0;
    const all = gates.map(async ({ opened }) =>
      writes.add(async (turn) => {
        started++;
        await opened;
        await turn;
      }),
    );
    await new Promise(setImmediate);
    expect(started).toBe(2);
    gates[0]?.open();
    await new Promise(setImmediate);
    expect(started).toBe(3);
    gates.forEach(({ open }) => open());
    await Promise.all(all);
    await writes.through();
  });

  it('end with what one of them threw, and those after it are not put in place', async () => {
    const writes = new OrderedWrites(2);
    const failing = gate();
    let isPut = false;
    await writes.add(() => failing.opened);
    await writes.add(async (turn) => {
      await turn;
      isPut = true;
    });
    failing.fail(new Error('the disk is gone'));
    await expect(writes.through()).rejects.toThrow('the disk is gone');
    await writes.ended();
    expect(isPut).toBe(false);
  });
});
