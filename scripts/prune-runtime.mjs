// Takes away what no program loads. onnxruntime-node carries its libraries for five platforms (290 MB), of which a machine loads one; and
// source maps, sources beside their built form, tests, documentation and translated compiler messages are 170 MB of a clone's packages. Run
// where the tree is this machine's alone: in a clone, in an image, and with `--global` by an installation, which prunes only one that is
// global, and only the libraries. A project of somebody else that depends on this package may be packed for other platforms, and is
// left as it is.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** Of a package's files: source maps, types of Flow, messages of the TypeScript compiler in other languages. */
const UNREAD_FILE = /\.map$|\.js\.flow$|^diagnosticMessages\.generated\.json$/;
/** TypeScript, but no declarations: Node loads none of it from a package. */
const TYPESCRIPT = /(?<!\.d)\.[cm]?tsx?$/;
/** Where a package has its licence in a file of its own. */
const DOCUMENT = /\.md$/i;
const LICENSE = /^(licen[cs]e|copying|notice)/i;
/** In a package: its tests and documentation, and the pages that Playwright shows of a trace. */
const UNREAD_FOLDERS = ['test', 'tests', 'docs', 'lib/vite'];
/** Other forms of what is loaded. */
const UNREAD_PATHS = {
  redoc: ['bundles/redoc.lib.js', 'bundles/redoc.browser.lib.js'],
  'axe-core': ['axe.min.js'],
};
/** Of Redoc only the page is taken that was built of these: nothing loads them. */
const REDOC_PARTS = [
  'react-dom',
  'mobx',
  'polished',
  'prismjs',
  'mark.js',
  'core-js',
  'styled-components',
  'csstype',
  'dompurify',
  'openapi-sampler',
  'lunr',
];

const isGlobal = process.argv.includes('--global');
const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
if (!isGlobal || process.env['npm_config_global'] === 'true') pruneLibraries(join(runtime, 'bin'));
if (!isGlobal) {
  packagesIn(dirname(runtime)).forEach(prunePackage);
  REDOC_PARTS.map((name) => join(dirname(runtime), name))
    .filter(existsSync)
    .forEach(emptyPackage);
}

function pruneLibraries(bin) {
  const own = join(process.platform, process.arch);
  const builds = readdirSync(bin).flatMap((api) => pathsIn(join(bin, api)).flatMap(pathsIn));
  for (const build of builds) {
    if (!build.endsWith(own)) remove(build);
  }
}

function prunePackage(folder) {
  for (const name of UNREAD_FOLDERS) remove(join(folder, name));
  // AssemblyScript takes the library alone; its programs are 84 MB.
  if (basename(folder) === 'binaryen') remove(join(folder, 'bin'));
  if (basename(folder) === 'libheif-js') pruneHeif(folder);
  for (const path of UNREAD_PATHS[basename(folder)] ?? []) remove(join(folder, path));
  const isLicensed = readdirSync(folder).some((name) => LICENSE.test(name));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const isSource = TYPESCRIPT.test(entry.name) && join(entry.parentPath, '/').startsWith(join(folder, 'src', '/'));
    const isDocument = isLicensed && DOCUMENT.test(entry.name) && !LICENSE.test(entry.name);
    const isUnread = isSource || isDocument || UNREAD_FILE.test(entry.name);
    if (entry.isFile() && isUnread) remove(join(entry.parentPath, entry.name));
  }
}

/** Of four forms of one decoder that is left which is loaded. */
function pruneHeif(folder) {
  remove(join(folder, 'libheif', 'libheif.js'));
  for (const name of ['libheif-bundle.mjs', 'libheif.js', 'libheif.wasm']) remove(join(folder, 'libheif-wasm', name));
}

/** But for its manifest, by which npm knows that it is installed, and its licence. */
function emptyPackage(folder) {
  const isKept = (name) => name === 'package.json' || LICENSE.test(name);
  for (const name of readdirSync(folder).filter((name) => !isKept(name))) remove(join(folder, name));
}

/** Those side by side; what lies within them is theirs. */
function packagesIn(modules) {
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(modules, name))
    .flatMap((path) => (path.startsWith(join(modules, '@')) ? pathsIn(path) : [path]));
}

function pathsIn(folder) {
  return readdirSync(folder).map((name) => join(folder, name));
}

function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
