import sharp from 'sharp';
import { residentMemory } from '../resident-memory.ts';
import type { ServeProcess } from '../servers/serve-process.ts';

/** What a server answered while everything in its `MODELS_DIR` was listed and asked for. */
export interface Siege {
  /** Names, and why each cannot be used. */
  readonly listed: readonly { readonly name: string; readonly installed: boolean; readonly problem: string | null }[];
  readonly answers: readonly { readonly name: string; readonly status: number; readonly detail: string }[];
  /** How long each of the looks whether it lives took, in milliseconds. */
  readonly liveMs: readonly number[];
  /** How much more memory the server holds, in bytes. */
  readonly grown: number;
}

const LOOK_MS = 10;

/** Lists the models of a server, and asks for pictures by each of `names`, while it is looked at. */
export async function besiege({ url, pid }: ServeProcess, names: readonly string[]): Promise<Siege> {
  const picture = await sharp({ create: { width: 24, height: 24, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  for (let i = 0; i < 50; i++) await (await fetch(`${url}/health/live`)).text();
  await (await fetch(`${url}/openapi.json`)).text();
  const before = residentMemory(pid);
  const over = new AbortController();
  const liveMs: number[] = [];
  const looking = (async () => {
    while (!over.signal.aborted) {
      const start = performance.now();
      await (await fetch(`${url}/health/live`)).text();
      liveMs.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  const listed = (await (await fetch(`${url}/models`)).json()) as Siege['listed'] | { models: Siege['listed'] };
  const answers: { name: string; status: number; detail: string }[] = [];
  for (const name of names) {
    const query = new URLSearchParams({ upscaler: name });
    const answer = await fetch(`${url}/upscale?${query.toString()}`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: new Uint8Array(picture),
    });
    const { detail = '' } = answer.ok ? {} : ((await answer.json()) as { detail?: string });
    answers.push({ name, status: answer.status, detail });
  }
  over.abort();
  await looking;
  return { listed: 'models' in listed ? listed.models : listed, answers, liveMs, grown: residentMemory(pid) - before };
}

/** Whether a text is one line that a terminal shows as it is, and no longer than is read. */
export function isOneLine(text: string): boolean {
  return text.length > 0 && text.length <= 400 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}
