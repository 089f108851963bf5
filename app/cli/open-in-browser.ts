import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { environmentWithoutSecrets } from '../config.ts';

/** What opens a URL in the browser of whoever is at the machine, by system; elsewhere it is that of the XDG desktops. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', '""'],
};
const OPENER = OPENERS[process.platform] ?? ['xdg-open'];
/** One that has not ended by then is the browser itself. */
const WAIT_MS = 5000;

/** Opens a URL in the browser; false where there is none. The browser stays when this program ends, and is told none of its secrets. */
export async function openInBrowser(url: string): Promise<boolean> {
  const [program, ...args] = OPENER;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true, env: environmentWithoutSecrets() });
  child.unref();
  try {
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(WAIT_MS) })) as [number | null];
    return code === 0;
  } catch {
    return child.pid !== undefined;
  }
}
