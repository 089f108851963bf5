/** What the server, a process of its own, holds after 20 and after 200 requests: at most 1.1 times as much. Linux only. */
import sharp from 'sharp';
import { buildProgram } from '../../support/built-program.ts';
import { residentMemory } from '../../support/resident-memory.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const REQUESTS = 200;
const PRINTED = [20, 50, 100, 150, REQUESTS];
const LIMIT = 1.1;

const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
const photo = await sharp({ create: { width: 256, height: 256, channels: 3, background: '#888', noise } })
  .png()
  .toBuffer();
const program = await buildProgram();
const folder = await temporaryFolder();
const server = await serveProcess(folder.path, {}, program.main);
try {
  const held = new Map<number, number>();
  for (let request = 1; request <= REQUESTS; request++) {
    const body = new Uint8Array(photo);
    const headers = { 'Content-Type': 'image/png' };
    const response = await fetch(`${server.url}/upscale?upscaler=LANCZOS&scale=1.5`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`POST /upscale answered ${response.status}`);
    if (PRINTED.includes(request)) held.set(request, residentMemory(server.pid));
  }
  const [first = NaN, last = NaN] = [held.get(20), held.get(REQUESTS)];
  const told = [...held].map(([count, bytes]) => `${count}: ${(bytes / 2 ** 20).toFixed(1)} MB`);
  process.stdout.write(`resident memory after so many requests: ${told.join(', ')}; ${(last / first).toFixed(3)}\n`);
  if (last / first > LIMIT) process.exitCode = 1;
} finally {
  await server.kill();
  await program.remove();
  await folder.remove();
}
