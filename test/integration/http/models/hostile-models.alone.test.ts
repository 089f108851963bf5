import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BuiltProgram } from '../../../support/built-program.ts';
import { sharedProgram } from '../../../support/built-program.ts';
import type { Siege } from '../../../support/hostile/besiege.ts';
import { besiege, isOneLine } from '../../../support/hostile/besiege.ts';
import { CANARY, hostileCorpus, writeHostileCorpus } from '../../../support/hostile/hostile-corpus.ts';
import { quantile } from '../../../support/servers/open-loop.ts';
import { serveProcess } from '../../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const TIMEOUT_MS = 180_000;
/** They can be inspected, and what they make is seen when they run. */
const RUNNABLE = 'overflows-';
/** `npm run soak:models` asks for all of them. */
const ASKED = [
  'pickle-copies-counter.pth',
  'net-rrdb-49000-blocks.safetensors',
  'flipped-bit-3.pth',
  'weights-NaN-safetensors.safetensors',
  'overflows-infinity.pth',
  'name-long.safetensors',
];

describe('A folder full of hostile files', () => {
  let folder: TemporaryFolder;
  let program: BuiltProgram;
  let names: readonly string[];
  let siege: Siege;

  beforeAll(async () => {
    folder = await temporaryFolder();
    program = await sharedProgram();
    names = writeHostileCorpus(join(folder.path, 'models'), hostileCorpus());
    const server = await serveProcess(folder.path, { MODELS_DIR: join(folder.path, 'models') }, program.main);
    try {
      siege = await besiege(server, ASKED);
    } finally {
      await server.stop();
    }
  }, TIMEOUT_MS);
  afterAll(async () => {
    await program.remove();
    await folder.remove();
  });

  it('holds more than 200 kinds, all of which are listed, each with one line that says why it cannot be used', () => {
    expect(new Set(names).size).toBeGreaterThanOrEqual(200);
    const own = siege.listed.filter(({ name }) =>
      names.some((file) => file.replace(/\.\w+$/, '') === name || file === name),
    );
    expect(own).toHaveLength(names.length);
    for (const { name, installed, problem } of own) {
      if (name.startsWith(RUNNABLE)) continue;
      // What only a look at all the weights tells is told when the file is asked for.
      if (/^(flipped-|weights-)/.test(name)) continue;
      expect({ name, installed }).toEqual({ name, installed: false });
      expect([name, isOneLine(problem ?? '')]).toEqual([name, true]);
    }
  });

  it('is read to its end: no file takes the time or the memory that a process may take for it', () => {
    const unfinished = siege.listed.filter(({ problem }) => problem?.includes('did not finish'));
    expect(unfinished).toEqual([]);
  });

  it('makes no picture, and every answer is one line', () => {
    expect(siege.answers.map(({ name }) => name)).toEqual(ASKED);
    for (const { name, status, detail } of siege.answers) {
      expect([name, status >= 400, isOneLine(detail)]).toEqual([name, true, true]);
      expect(detail).not.toContain(folder.path);
    }
  });

  it('does not keep the server from answering, nor fill its memory', () => {
    expect(quantile(siege.liveMs, 0.99)).toBeLessThan(50);
    expect(siege.grown).toBeLessThan(50e6);
  });

  it('executes nothing', () => {
    const places = [folder.path, join(folder.path, 'models'), process.cwd()];
    expect(places.filter((place) => existsSync(join(place, CANARY)))).toEqual([]);
    expect(readdirSync(join(folder.path, 'models')).filter((name) => !names.includes(name))).toEqual([]);
  });
});
