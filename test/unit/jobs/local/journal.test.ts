import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Journal } from '../../../../app/jobs/local/journal.ts';
import { StateFolder } from '../../../../app/jobs/local/state-folder.ts';
import type { DiskImage } from '../../../support/power-cut-folder.ts';
import { PowerCutFolder } from '../../../support/power-cut-folder.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

interface Value {
  readonly id: string;
  readonly version: number;
  readonly padding?: string;
}

/** What a client was told, and what it asked for, of one id; version 0 is that it is not there. */
interface Ledger {
  acknowledged: number;
  asked: number[];
}

interface Cut {
  readonly image: DiskImage;
  /** As the clients knew it when the power went. */
  readonly ledger: ReadonlyMap<string, Ledger>;
}

/** A linear congruential generator: the same run every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

/** Clients that put and remove, several at once, on a disk whose power may go at every step. */
async function workload(seed: number, rounds: number): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const ledger = new Map<string, Ledger>();
  const next = random(seed);
  const folder = new PowerCutFolder(new Map(), (disk) => {
    const known = new Map([...ledger].map(([id, one]) => [id, { ...one, asked: [...one.asked] }]));
    cuts.push(...disk.images().map((image) => ({ image, ledger: known })));
  });
  const journal = new Journal<Value>(folder, 10);
  await journal.open();
  let version = 0;
  const act = async (id: string): Promise<void> => {
    const one = ledger.get(id) ?? { acknowledged: 0, asked: [] };
    ledger.set(id, one);
    const isRemoval = next(4) === 0;
    const mine = isRemoval ? 0 : ++version;
    one.asked = [...one.asked, mine];
    await (isRemoval ? journal.remove([id]) : journal.put({ id, version: mine, padding: 'x'.repeat(next(600)) }));
    one.acknowledged = mine;
    one.asked = [];
  };
  for (let round = 0; round < rounds; round++) {
    const clients = new Set(Array.from({ length: 1 + next(4) }, () => `job-${next(8)}`));
    await Promise.all([...clients].map(act));
  }
  await journal.close();
  return cuts;
}

describe('Journal', () => {
  it('loses nothing that was acknowledged, and makes nothing up, wherever the power goes', async () => {
    const cuts = [await workload(1, 150), await workload(2, 150), await workload(3, 150)].flat();
    expect(cuts.length).toBeGreaterThan(5000);
    const wrong: string[] = [];
    for (const { image, ledger } of cuts) {
      const journal = new Journal<Value>(new PowerCutFolder(image), 10);
      const { values } = await journal.open();
      const found = new Map(values.map((value) => [value.id, value.version]));
      for (const [id, { acknowledged, asked }] of ledger) {
        const version = found.get(id) ?? 0;
        if (version !== acknowledged && !asked.includes(version)) {
          wrong.push(`${id}: ${version} instead of ${acknowledged} or ${asked.join()}`);
        }
      }
      if (values.some(({ id }) => !ledger.has(id))) wrong.push('a value from nowhere');
      await journal.close();
    }
    expect(wrong).toEqual([]);
  });

  it('goes on from every one of these disks', async () => {
    const cuts = (await workload(4, 60)).filter((_, index) => index % 7 === 0);
    for (const { image } of cuts) {
      const disk = new PowerCutFolder(image);
      const journal = new Journal<Value>(disk);
      const { values } = await journal.open();
      await journal.put({ id: 'after', version: 1 });
      await journal.close();
      const again = await new Journal<Value>(disk).open();
      expect(again).toEqual({ values: [...values, { id: 'after', version: 1 }], damagedLines: 0 });
    }
  });

  it('makes one sync do for many that come at once', async () => {
    let steps = 0;
    const journal = new Journal<Value>(new PowerCutFolder(new Map(), () => steps++));
    await journal.open();
    steps = 0;
    await Promise.all(Array.from({ length: 500 }, (_, version) => journal.put({ id: `j${version}`, version })));
    expect(steps).toBe(2); // one write, one sync
  });

  it('takes a full disk as a refusal, and goes on when there is room', async () => {
    const folder = new PowerCutFolder();
    const journal = new Journal<Value>(folder);
    await journal.open();
    await journal.put({ id: 'a', version: 1 });
    folder.failNext = { append: Object.assign(new Error('no space'), { code: 'ENOSPC' }) };
    await expect(journal.put({ id: 'b', version: 1 })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    expect(journal.isUsable).toBe(true);
    await journal.put({ id: 'c', version: 1 });
    await journal.close();
    const { values, damagedLines } = await new Journal<Value>(folder).open();
    expect([values.map(({ id }) => id), damagedLines]).toEqual([['a', 'c'], 0]);
  });

  it.each([
    ['sync', { sync: new Error('EIO') }],
    ['take back what it took in part', { append: new Error('no space'), truncate: new Error('EIO') }],
  ])('does not write again to a disk that fails to %s', async (_step, failures) => {
    const folder = new PowerCutFolder();
    const journal = new Journal<Value>(folder);
    await journal.open();
    folder.failNext = failures;
    await expect(journal.put({ id: 'a', version: 1 })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    expect(journal.isUsable).toBe(false);
    await expect(journal.put({ id: 'b', version: 1 })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  describe('on a disk', () => {
    let temporary: TemporaryFolder;
    beforeEach(async () => (temporary = await temporaryFolder()));
    afterEach(() => temporary.remove());
    const open = () => new Journal<Value>(new StateFolder(temporary.path), 10);

    it('keeps values in the order in which they came first, and only the newest of each', async () => {
      const journal = open();
      await journal.open();
      for (let version = 1; version <= 40; version++) {
        for (const id of ['b', 'a']) await journal.put({ id, version });
      }
      await journal.put({ id: 'c', version: 1 });
      await journal.remove(['a']);
      await journal.close();
      const lines = (await readFile(join(temporary.path, 'jobs.journal'), 'utf8')).trim().split('\n');
      expect(lines.length).toBeLessThan(25);
      const again = open();
      const { values } = await again.open();
      await again.close();
      expect(values.map(({ id, version }) => `${id}${version}`)).toEqual(['b40', 'c1']);
    });

    it('does not touch the journal of another version', async () => {
      const journal = open();
      await journal.open();
      await journal.close();
      const file = join(temporary.path, 'jobs.journal');
      const json = '{"journal":"hiresfix-jobs","version":99}';
      await writeFile(file, `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
      await expect(open().open()).rejects.toMatchObject({ code: 'ERR_BAD_JOURNAL' });
    });
  });
});
