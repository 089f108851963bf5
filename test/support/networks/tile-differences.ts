import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** By how much tiles of 64 pixels differ from the whole: of a manifest's network, in levels of 255. */
export interface TileDifference {
  readonly levels: number;
  readonly mean: number;
}

/** Written by `STATE=1 npm run soak:networks`. */
const TILE_DIFFERENCES = fileURLToPath(new URL('../../fixtures/tile-differences.json', import.meta.url));

/** What was measured, by manifest. */
export function readTileDifferences(): Readonly<Record<string, TileDifference>> {
  if (!existsSync(TILE_DIFFERENCES)) return {};
  return JSON.parse(readFileSync(TILE_DIFFERENCES, 'utf8')) as Record<string, TileDifference>;
}

/** Adds to what was measured, or replaces it. */
export function stateTileDifference(manifest: string, measured: TileDifference): void {
  const all = Object.entries({ ...readTileDifferences(), [manifest]: measured }).toSorted(([a], [b]) =>
    a.localeCompare(b, 'en'),
  );
  writeFileSync(TILE_DIFFERENCES, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}
