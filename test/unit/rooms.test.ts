import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOUSE = ['app', 'assembly', 'config', 'deploy', 'docs', 'integrations', 'scripts', 'test', 'training'];
/** Of files side by side: more than are taken in at a glance want rooms by what they are about. */
const MAX_FILES = 25;
/** Folders of data that programs read by name. */
const DATA = 'test/fixtures/';

interface Room {
  readonly folder: string;
  readonly files: number;
}

function roomsIn(folder: string): readonly Room[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  const files = entries.filter((entry) => entry.isFile()).length;
  const inner = entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => roomsIn(`${folder}/${name}`));
  return [{ folder, files }, ...inner];
}

describe('the rooms of the house', () => {
  it(`hold at most ${MAX_FILES} files side by side`, () => {
    const rooms = HOUSE.flatMap(roomsIn).filter(({ folder }) => !folder.startsWith(DATA));
    expect(rooms.length).toBeGreaterThan(HOUSE.length);
    expect(rooms.filter(({ files }) => files > MAX_FILES)).toEqual([]);
  });
});
