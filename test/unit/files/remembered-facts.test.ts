import { readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RememberedFacts } from '../../../app/files/remembered-facts.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LATER = () => Date.now() + 60_000;

describe('Remembered facts', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  it('outlive the process that found them out, and are of that file and that fact', () => {
    const [file, other] = ['a.pth', 'b.pth'].map((name) => join(folder.path, name)) as [string, string];
    for (const one of [file, other]) writeFileSync(one, 'weights');
    new RememberedFacts(join(folder.path, 'facts')).remember(file, 'sha256', { text: 'abc', since: LATER() });
    const facts = new RememberedFacts(join(folder.path, 'facts'));
    expect(facts.recall(file, 'sha256')).toBe('abc');
    expect(facts.recall(file, 'sound')).toBeUndefined();
    expect(facts.recall(other, 'sha256')).toBeUndefined();
    expect(facts.recall(join(folder.path, 'none'), 'sha256')).toBeUndefined();
  });

  it('are forgotten with a change, also one that left size and time as they were', () => {
    const file = join(folder.path, 'a.pth');
    const facts = new RememberedFacts(join(folder.path, 'facts'));
    const changes = [
      () => writeFileSync(file, 'wEights'),
      () => writeFileSync(file, 'weights and more'),
      () => {
        writeFileSync(join(folder.path, 'new'), 'weights');
        renameSync(join(folder.path, 'new'), file);
      },
    ];
    for (const change of changes) {
      writeFileSync(file, 'weights');
      utimesSync(file, 1, 1);
      facts.remember(file, 'sound', { text: '', since: LATER() });
      expect(facts.recall(file, 'sound')).toBe('');
      change();
      utimesSync(file, 1, 1);
      expect(facts.recall(file, 'sound')).toBeUndefined();
    }
  });

  it('are not kept of a file that changed while it was read, or just before', () => {
    const file = join(folder.path, 'a.pth');
    writeFileSync(file, 'weights');
    new RememberedFacts(join(folder.path, 'facts')).remember(file, 'sound', { text: '', since: Date.now() });
    expect(readdirSync(folder.path)).toEqual(['a.pth']);
  });

  it.each([
    ['below a file', () => join(folder.path, 'a.pth', 'facts')],
    // Node's own recursive mkdir never returns there.
    ['in a folder that takes no others', () => '/proc/none/facts'],
  ])('are found out again where they cannot be kept: %s', (...[, place]) => {
    const file = join(folder.path, 'a.pth');
    writeFileSync(file, 'weights');
    const facts = new RememberedFacts(place());
    expect(() => facts.remember(file, 'sound', { text: '', since: LATER() })).not.toThrow();
    expect(facts.recall(file, 'sound')).toBeUndefined();
  });
});
