import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { temporaryFolder } from './temporary-folder.ts';

/** The browser that CI installs; undefined where there is none. */
export const CHROMIUM = ['chromium', 'chromium-browser'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Nothing is sent to any host but this one. */
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** An origin of its own, whose page runs a script and says what came of it. */
export interface ScriptedPage {
  readonly origin: string;
  /** What the script's function returned, once a browser has run it. */
  readonly outcome: Promise<unknown>;
  close(): void;
}

/**
 * Serves a page with a script.
 * @param script the body of an async function; what it returns is the outcome
 * @param frame the origin of another such page, which is shown within this one
 */
export async function scriptedPage(script: string, frame?: string): Promise<ScriptedPage> {
  let settle: (outcome: unknown) => void = () => undefined;
  const outcome = new Promise<unknown>((resolve) => (settle = resolve));
  const html = `<!doctype html><title>a page</title>${frame === undefined ? '' : `<iframe src="${frame}"></iframe>`}
<script type="module">
const run = async () => { ${script} };
const told = await run().catch((error) => String(error));
await fetch('/outcome', { method: 'POST', body: JSON.stringify(told) });
</script>`;
  const server: Server = createServer((request, response) => {
    if (request.url === '/outcome') {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => {
        response.end();
        settle(JSON.parse(text));
      });
      return;
    }
    response.setHeader('Content-Type', 'text/html').end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    outcome,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Opens a page in Chromium while `work` runs. */
export async function inChromium<T>(url: string, work: () => Promise<T>): Promise<T> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium here');
  const profile = await temporaryFolder();
  const browser = spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${profile.path}`, url], {
    stdio: 'ignore',
    detached: true,
  });
  const ended = once(browser, 'exit');
  try {
    return await Promise.race([
      work(),
      ended.then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}`))),
    ]);
  } finally {
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL'); // its helpers too
    await ended;
    await profile.remove();
  }
}
