import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RecognisedNetwork } from '../../../app/architectures/registry.ts';
import { ARCHITECTURES, recognise } from '../../../app/architectures/registry.ts';
import { readManifest } from '../checkpoints/hashed-weights.ts';
import { manifestShapes, shapeDict } from '../checkpoints/shape-dict.ts';
import { readTileDifferences } from '../networks/tile-differences.ts';

const MANIFESTS = fileURLToPath(new URL('../../fixtures/manifests', import.meta.url));

/** The page of the documentation that shows the result. */
export const MODELS_PAGE = fileURLToPath(new URL('../../../docs/models.md', import.meta.url));

const HEAD = `# Networks that are recognised

Made from the registry of architectures and from the files that the tests hold against PyTorch (\`npm run docs:models\`); do not edit.

A checkpoint is known by its tensors, whatever it is called. "Known by" names some of them: \`a.b\` stands for a tensor of that name or for
tensors below it. Every scale, width, depth, window and number of heads that keys and shapes can express is run, not only those of the files
in the third column.

"Around a tile" is how many pixels a tile sees beyond its edges. Where it says *whole picture first*, a layer looks at all of the picture (a
mean, a sorting, attention between channels), so tiles differ by what that layer sees, which no margin mends: such a picture is run as
a whole where memory allows, and is cut only where it must be.

"Tiles apart" is by how many levels of 255 tiles of 64 pixels, the smallest that are chosen, were apart from the whole, at most and on average, on
a strip of a photograph (\`npm run soak:networks\`). The weights of the tests are pseudo-random, of which means over a picture say much more than
those of a trained network do: what is trained is nearer. A dash is not measured.
`;

/** What \`docs/models.md\` has to say of the networks that are known. */
export function modelsPage(): string {
  const examples = readdirSync(MANIFESTS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => exampleOf(file.replace('.json', '')));
  const rows = ARCHITECTURES.map(({ name, looksFor }) => {
    const own = examples.filter(({ network }) => network.architecture === name);
    return `| ${name} | ${keysOf(looksFor)} | ${own.map(({ title }) => title).join('; ') || '-'} | ${listOf(own.map(tilesOf))} | ${listOf(own.map(({ apart }) => apart))} |`;
  });
  const head =
    '| Network | Known by | Files of the tests | Around a tile | Tiles apart |\n| --- | --- | --- | --- | --- |';
  return `${HEAD}\n${[head, ...rows.toSorted((a, b) => a.localeCompare(b, 'en'))].join('\n')}\n`;
}

interface Example {
  readonly network: RecognisedNetwork;
  readonly title: string;
  /** Levels of 255 between its tiles and the whole. */
  readonly apart: string;
}

function exampleOf(manifest: string): Example {
  const { tensors } = readManifest(manifest);
  const told = new Map(tensors.flatMap((row) => ('values' in row ? [[row.name, row.values] as const] : [])));
  const shapes = [...manifestShapes(manifest)].map(([name, shape]) => [name.replace(/^module\./, ''), shape] as const);
  const network = recognise(shapeDict(new Map(shapes)), (name) => {
    const values = told.get(name);
    return values && Float32Array.from(values);
  });
  const measured = readTileDifferences()[manifest];
  const apart = measured ? `${measured.levels} (${measured.mean})` : '-';
  return { network, title: `${manifest}${network.role ? '' : ` (x${network.scale})`}`, apart };
}

function keysOf(looksFor: string): string {
  return looksFor.replace(/^[\w -]+: /, '').replaceAll('|', '\\|');
}

function tilesOf({ network: { role, halo, tiling } }: Example): string {
  if (role) return '-';
  return `${halo} pixels${tiling === 'whole-image-preferred' ? ', whole picture first' : ''}`;
}

function listOf(items: readonly string[]): string {
  return [...new Set(items)].join('; ') || '-';
}
