import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registryVariables } from '../machines/package-registry.ts';
import { PrivateNetwork } from '../machines/private-network.ts';
import { writePageInputs, writePageModels } from './page-inputs.ts';
import { PageSession } from './page-session.ts';
import type { ShellBlock } from './shell-blocks.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const S3RVER = createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
/** Machines that pages speak of. */
const NAMES = ['queue.internal'];
const MIRROR_PORT = 9100;
const STORE_PORT = 9000;
/** Answers with the files of the folder that it is given. */
const MIRROR = `require('http').createServer((request, response) => {
  const file = require('path').join(process.argv[1], require('path').basename(request.url));
  if (!require('fs').existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-length': require('fs').statSync(file).size });
  if (request.method === 'HEAD') response.end();
  else require('fs').createReadStream(file).pipe(response);
}).listen(${MIRROR_PORT}, '127.0.0.1')`;
/** What only a clone has. */
const OF_A_CLONE =
  /\bnpm (?:ci|run|start|pack)\b|(?:^|[ /])(?:deploy|integrations|training|node_modules)\/|docs\/images/m;

/** Somebody who has a clone, a home, pictures and models, and tries what the pages say. */
export class PageReader {
  readonly #folder: string;
  readonly #network: PrivateNetwork;
  readonly #models: string;

  private constructor(folder: string, network: PrivateNetwork) {
    this.#folder = folder;
    this.#network = network;
    this.#models = join(folder, 'home/.local/share/hiresfix/models');
  }

  /** Lays out all that in an empty folder. */
  static async open(folder: string): Promise<PageReader> {
    const clone = join(folder, 'clone');
    const { status } = spawnSync('git', ['clone', '--quiet', ROOT, clone], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`git clone ended with ${String(status)}`);
    const network = await PrivateNetwork.open(folder, NAMES);
    const reader = new PageReader(folder, network);
    await writePageModels(reader.#models);
    await writePageInputs(join(folder, 'home/Pictures'));
    const place = { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } };
    network.start([process.execPath, '-e', MIRROR, reader.#models], place);
    const store = `-d ${join(folder, 's3')} -a 127.0.0.1 -p ${STORE_PORT} --configure-bucket pictures`.split(' ');
    network.start([process.execPath, '--openssl-legacy-provider', S3RVER, '--silent', ...store], place);
    return reader;
  }

  /** A shell for the commands of one block, in the clone or in a new folder with the pictures and models of the reader's. */
  async session(page: string, block: ShellBlock): Promise<PageSession> {
    const isOfClone = block.commands.some(({ text }) => OF_A_CLONE.test(text));
    const place = isOfClone ? join(this.#folder, 'clone') : join(this.#folder, 'pages', page.replaceAll('/', '-'));
    if (isOfClone)
      spawnSync('git', ['clean', '-fdq'], { cwd: place }); // what another page has made, but not what npm has
    else rmSync(place, { recursive: true, force: true });
    await writePageInputs(place);
    mkdirSync(join(place, 'models'), { recursive: true });
    for (const name of readdirSync(this.#models)) {
      const link = join(place, 'models', name);
      rmSync(link, { force: true });
      symlinkSync(join(this.#models, name), link);
    }
    mkdirSync(join(place, 'ComfyUI/custom_nodes'), { recursive: true });
    const registry = isOfClone ? registryVariables() : {};
    return new PageSession(this.#network, { cwd: place, env: this.#variables(), registry });
  }

  close(): void {
    this.#network.close();
  }

  #variables(): Record<string, string> {
    const prefix = join(this.#folder, 'installed');
    return {
      PATH: [join(prefix, 'bin'), dirname(process.execPath), '/usr/local/bin:/usr/bin:/bin'].join(':'),
      HOME: join(this.#folder, 'home'),
      npm_config_prefix: prefix,
      npm_config_update_notifier: 'false',
      MODEL_MIRROR: `http://127.0.0.1:${MIRROR_PORT}`,
      // As somebody who has a bucket has them set.
      AWS_ENDPOINT_URL: `http://127.0.0.1:${STORE_PORT}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    };
  }
}
