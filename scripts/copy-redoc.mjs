// Puts the one file of Redoc that a browser needs into dist/redoc/, from where /redoc serves it, with the licences of what is in it. Its
// mark of origin is a picture on another host: the page loads nothing from there, so the address gives way to an empty picture.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const EMPTY = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

const bundle = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
const target = fileURLToPath(new URL('../dist/redoc/', import.meta.url));
const script = readFileSync(bundle, 'utf8');
if (script.split(LOGO).length !== 2) throw new Error(`${bundle}: expected ${LOGO} in it once`);

mkdirSync(target, { recursive: true });
writeFileSync(`${target}redoc.standalone.js`, script.replace(LOGO, EMPTY));
copyFileSync(`${bundle}.LICENSE.txt`, `${target}redoc.standalone.js.LICENSE.txt`);
