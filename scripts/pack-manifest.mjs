// What `npm pack` takes along is the manifest of an installed package: with the command, and free to be published. That of a clone
// has no `bin`, since `npx hiresfix` would then install the package into npm's cache instead of running what is here (link-bin.mjs).
// `prepack` writes the one, `postpack` brings the other back.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../package.json', import.meta.url));
const manifest = JSON.parse(readFileSync(file, 'utf8'));
delete manifest.bin;
delete manifest.private;
const own = process.argv[2] === 'packed' ? { bin: { hiresfix: 'dist/cli/main.js' } } : { private: true };
writeFileSync(file, `${JSON.stringify({ ...manifest, ...own }, null, 2)}\n`);
