import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PartState } from '../../../../app/catalog/download/part-sidecar.ts';
import { PartSidecar, readPartState } from '../../../../app/catalog/download/part-sidecar.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hiresfix-sidecar-'));
  path = join(directory, 'x.part.json');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function state(received: number): PartState {
  return { url: 'https://example.org/ü.pth', validator: '"v1"', total: 1000, isMixed: false, ranges: [[0, received]] };
}

async function saved(...received: number[]): Promise<PartSidecar> {
  const sidecar = await PartSidecar.open(path, state(0));
  for (const bytes of received) await sidecar.save(state(bytes));
  return sidecar;
}

describe('PartSidecar', () => {
  it('gives back what was saved last', async () => {
    await (await saved(10, 20, 30)).close();
    expect(await readPartState(path)).toMatchObject(state(30));
  });

  it('is lines of JSON', async () => {
    await (await saved(10)).close();
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expect.anything(), expect.anything()]);
  });

  it('never grows, so that a full disk cannot stop it', async () => {
    const sidecar = await saved();
    const { size, blocks } = await stat(path);
    for (let bytes = 0; bytes < 50; bytes += 1) {
      await sidecar.save({
        ...state(bytes),
        ranges: Array.from({ length: bytes }, (_, index) => [index * 2, index * 2 + 1]),
      });
    }
    await sidecar.close();
    expect(await stat(path)).toMatchObject({ size, blocks });
  });

  it('falls back on the state before when the newer line was torn, wherever', async () => {
    await (await saved(10, 20)).close();
    const whole = await readFile(path);
    const newer = whole.indexOf('[0,20]') < whole.length / 2 ? 0 : whole.length / 2;
    for (const at of [0, 5, 60, 150, 220]) {
      const torn = Buffer.from(whole);
      torn.fill(0, newer + at, newer + at + 40);
      await writeFile(path, torn);
      expect(await readPartState(path)).toMatchObject(state(10));
    }
  });

  it('keeps the last state readable while it is opened again', async () => {
    await (await saved(10, 20)).close();
    const again = await PartSidecar.open(path, state(20));
    expect(await readPartState(path)).toMatchObject(state(20));
    await again.save(state(25));
    await again.close();
    expect(await readPartState(path)).toMatchObject(state(25));
  });

  it.each(['', '{}', '{"check":"","state":"{}"}\n', 'PK\x03\x04'])('says nothing when it holds %j', async (text) => {
    await writeFile(path, text);
    expect(await readPartState(path)).toBeUndefined();
  });

  it('says nothing when it is not there', async () => {
    expect(await readPartState(path)).toBeUndefined();
  });
});
