// onnxruntime-node carries its libraries for five platforms (290 MB); a machine loads one of them. Run where the tree is this
// machine's alone: in a clone, in an image, and with `--global` by an installation, which prunes only one that is global. A project
// of somebody else that depends on this package may be packed for other platforms, and is left as it is.
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

if (!process.argv.includes('--global') || process.env['npm_config_global'] === 'true') prune();

function prune() {
  const bin = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin');
  const own = join(process.platform, process.arch);
  const builds = readdirSync(bin).flatMap((api) => foldersOf(join(bin, api)).flatMap(foldersOf));
  for (const build of builds) {
    if (!build.endsWith(own)) rmSync(build, { recursive: true, force: true });
  }
}

function foldersOf(folder) {
  return readdirSync(folder).map((name) => join(folder, name));
}
