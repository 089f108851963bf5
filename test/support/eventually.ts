import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 30_000;

/** The first answer that is as it should be, or the last one if none was in half a minute: for what happens soon after an event, but where others use the machine. */
export async function eventually<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (isDone(value) || performance.now() > deadline) return value;
    await sleep(20);
  }
}
