// Compiles assembly/ into a file that the program imports like any other: the module in base64, a few KB. A file of bytes would have to
// be found again by Node, by tests, by bundles and by browsers, each in a way of its own. `node scripts/build-wasm.mjs [FILE]`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = process.argv[2] ?? new URL('../app/imaging/pillow/resample-module.ts', import.meta.url);
const options = [
  '-O3',
  '--enable',
  'simd',
  '--noAssert',
  '--runtime',
  'stub',
  '--disableWarning',
  'AS112',
  '--baseDir',
  root,
];
const { error, stderr } = await main(['assembly/index.ts', '--outFile', 'module.wasm', ...options], { writeFile });
if (error) throw new Error(`${error.message}\n${stderr.toString()}`);

function writeFile(_name, bytes) {
  const text = Buffer.from(bytes).toString('base64');
  writeFileSync(
    target,
    `// Made from assembly/ by \`npm run build:wasm\`, which also says why it is text.
export const RESAMPLE_MODULE =
  '${text}';
`,
  );
}
