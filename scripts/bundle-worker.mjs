// A worker is started for a task of a second: most of what that took was finding and reading 350 modules. This makes one file of
// them in the place of the entry; packages with binaries, and those that only some tasks need, stay where they are. An argument names
// another folder than dist/.
import { readFile, rm, rename } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const DIST = process.argv[2] ?? fileURLToPath(new URL('../dist/', import.meta.url));
const ENTRY = join(DIST, 'worker', 'child.js');
const APART = ['onnxruntime-node', 'got', 'http-proxy-agent', 'https-proxy-agent', 'proxy-from-env'];

/** What nothing uses of a namespace is left out where the importing module makes it: of zod that is a half, such as 50 languages. */
const ZOD_IN_PARTS = "import * as z from 'zod'";

/** Files that are found from where a module lies must be found from the bundle. */
const placed = {
  name: 'placed',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!path.startsWith(DIST)) return undefined;
      const text = await readFile(path, 'utf8');
      const place = relative(dirname(ENTRY), path).split(sep).join('/');
      const contents = text
        .replaceAll('import.meta.url', `new URL('${place}', import.meta.url).href`)
        .replace("import { z } from 'zod'", ZOD_IN_PARTS);
      return { contents };
    });
  },
};

/** sharp loads in half the time as the CommonJS module that it is below its ES module. */
const required = {
  name: 'required',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^sharp$/ }, ({ path }) => ({ path, namespace: 'required' }));
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `import { createRequire } from 'node:module'; export default createRequire(import.meta.url)('${path}');`,
    }));
  },
};

const bundle = join(DIST, 'worker', 'child.bundle.js');
await build({
  entryPoints: [ENTRY],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: APART,
  plugins: [placed, required],
  logLevel: 'warning',
});
await rename(bundle, ENTRY);
await rm(`${ENTRY}.map`, { force: true });
