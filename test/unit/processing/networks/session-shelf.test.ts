import { describe, expect, it } from '@jest/globals';
import { SessionShelf } from '../../../../app/processing/networks/session-shelf.ts';

/** What a shelf opened and released, in order. */
class Ledger {
  readonly lines: string[] = [];

  open(name: string): Promise<{ name: string; release: () => Promise<void> }> {
    this.lines.push(`open ${name}`);
    return Promise.resolve({ name, release: () => Promise.resolve(void this.lines.push(`release ${name}`)) });
  }
}

async function linesOf(
  limits: { bytes: number; count: number },
  wanted: readonly (readonly [name: string, bytes: number])[],
): Promise<string[]> {
  const ledger = new Ledger();
  const shelf = new SessionShelf<Awaited<ReturnType<Ledger['open']>>>(limits);
  for (const [name, bytes] of wanted) {
    expect((await shelf.hold(name, bytes, () => ledger.open(name))).name).toBe(name);
  }
  await shelf.clear();
  return ledger.lines;
}

describe('A shelf of sessions', () => {
  it('opens each once while all of them fit', async () => {
    const wanted = Array.from('abcabcabc').map((name) => [name, 10] as const);
    expect(await linesOf({ bytes: 30, count: 3 }, wanted)).toEqual([
      ...['open a', 'open b', 'open c'],
      ...['release a', 'release b', 'release c'],
    ]);
  });

  it('releases what was used longest ago before it opens another that would be one too many', async () => {
    const wanted = Array.from('abacb').map((name) => [name, 1] as const);
    expect(await linesOf({ bytes: 100, count: 2 }, wanted)).toEqual([
      ...['open a', 'open b', 'release b', 'open c', 'release a', 'open b'],
      ...['release c', 'release b'],
    ]);
  });

  it('releases as many as it takes to make room for a large one', async () => {
    expect(
      await linesOf({ bytes: 100, count: 9 }, [
        ['a', 30],
        ['b', 30],
        ['c', 30],
        ['d', 70],
      ]),
    ).toEqual(['open a', 'open b', 'open c', 'release a', 'release b', 'open d', 'release c', 'release d']);
  });

  it('holds one that is larger than all its room', async () => {
    expect(
      await linesOf({ bytes: 100, count: 9 }, [
        ['a', 10],
        ['b', 1000],
        ['b', 1000],
      ]),
    ).toEqual(['open a', 'release a', 'open b', 'release b']);
  });

  it('tries again what could not be opened', async () => {
    const shelf = new SessionShelf({ bytes: 1, count: 1 });
    const ledger = new Ledger();
    await expect(shelf.hold('a', 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await shelf.hold('a', 1, () => ledger.open('a'));
    expect(ledger.lines).toEqual(['open a']);
  });
});
