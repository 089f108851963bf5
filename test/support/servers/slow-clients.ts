import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { postHead } from './raw-http.ts';

const BYTE_MS = 1000;
const BODY_BYTES = 1_000_000;

/** Clients that hold connections open and send next to nothing; one that is cut off comes back. */
export class SlowClients {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #dripping = new Set<Socket>();
  readonly #drip: NodeJS.Timeout;
  #isClosed = false;
  /** How many were cut off. */
  cut = 0;

  private constructor(port: number) {
    this.#port = port;
    this.#drip = setInterval(() => this.#dripping.forEach((socket) => socket.write('x')), BYTE_MS);
  }

  /** Connects `count` of them: in turn one that says nothing, one that does not end its head, and one whose body drips. */
  static async connect(port: number, count: number): Promise<SlowClients> {
    const clients = new SlowClients(port);
    await Promise.all(Array.from({ length: count }, (_, index) => clients.#open(index)));
    return clients;
  }

  get open(): number {
    return this.#sockets.size;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#drip);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #open(kind: number): Promise<void> {
    const socket = connect(this.#port, '127.0.0.1');
    this.#sockets.add(socket);
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#dripping.delete(socket);
      if (this.#isClosed) return;
      this.cut += 1;
      void this.#open(kind);
    });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    if (kind % 3 === 0) return;
    this.#dripping.add(socket);
    const head = postHead('/upscale', 'Content-Type: image/png', `Content-Length: ${BODY_BYTES}`);
    socket.write(kind % 3 === 1 ? head.slice(0, -2) : head);
  }
}
