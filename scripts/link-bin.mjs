// npm links the commands of dependencies, not of the package itself: this makes `npx hiresfix` run in a clone. With a `bin` in
// package.json npx would install the package into its cache first instead of running what is here.
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const bin = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));

chmodSync(entry, 0o755);
mkdirSync(bin, { recursive: true });
rmSync(`${bin}hiresfix`, { force: true });
symlinkSync('../../dist/cli/main.js', `${bin}hiresfix`);
