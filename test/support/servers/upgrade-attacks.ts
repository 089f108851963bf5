import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { postHead } from './raw-http.ts';

const SIZES = [0, 1, 10, 1000, 10_000, 16_384, 20_000, 65_536, 100_000, 262_144] as const;
const PROTOCOLS = ['h2c', 'websocket', 'h2c, websocket', 'TLS/1.0', 'x'] as const;
const PATHS = ['/upscale', '/jobs', '/health/live', '/nowhere', '/socket.io/?EIO=4&transport=websocket'] as const;
const MANNERS = ['whole', 'in two', 'half-closed', 'reset', 'slow', 'over-long', 'too short', 'chunked'] as const;
/** How long an attacker waits for its answer. */
const PATIENCE_MS = 300;

/** One request that asks for another protocol and has a body, whose sender then behaves in one of many ways and goes away. */
export async function attackByUpgrade(port: number, seed: number): Promise<void> {
  const of = <T>(list: readonly T[], by: number): T => list[Math.floor(seed / by) % list.length] as T;
  const manner = of(MANNERS, 1);
  const size = of(SIZES, MANNERS.length);
  const length = manner === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`;
  const head = postHead(
    of(PATHS, 3),
    'Connection: Upgrade',
    `Upgrade: ${of(PROTOCOLS, 7)}`,
    'Content-Type: image/png',
    length,
  );
  // An address of their own: strangers do not share it.
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  socket.on('error', () => undefined).resume();
  await first(socket, 'connect');
  await misbehave(socket, { manner, head, body: Buffer.alloc(size, 'x') });
  socket.destroy();
}

interface Request {
  readonly manner: (typeof MANNERS)[number];
  readonly head: string;
  readonly body: Buffer;
}

async function misbehave(socket: Socket, { manner, head, body }: Request): Promise<void> {
  const half = body.subarray(0, body.length / 2);
  switch (manner) {
    case 'whole':
      socket.write(Buffer.concat([Buffer.from(head), body]));
      break;
    case 'in two':
      socket.write(head);
      await sleep(5);
      socket.write(body);
      break;
    case 'half-closed':
      socket.end(Buffer.concat([Buffer.from(head), half]));
      break;
    case 'reset':
      socket.write(Buffer.concat([Buffer.from(head), half]));
      await sleep(5);
      socket.resetAndDestroy();
      return;
    case 'slow':
      socket.write(head);
      for (let sent = 0; sent < 5; sent++) {
        await sleep(50);
        socket.write(body.subarray(sent, sent + 1));
      }
      break;
    case 'over-long':
      socket.write(Buffer.concat([Buffer.from(head), body, body]));
      break;
    case 'too short':
      socket.write(Buffer.concat([Buffer.from(head), half]));
      break;
    case 'chunked':
      socket.write(`${head}${body.length.toString(16)}\r\n`);
      socket.write(body);
      break;
  }
  await Promise.race([first(socket, 'close'), sleep(PATIENCE_MS)]);
}

/** When it has happened, or the connection is over; `once` of Node would reject of its errors. */
export function first(socket: Socket, event: 'connect' | 'close'): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()).once('close', () => resolve()));
}
