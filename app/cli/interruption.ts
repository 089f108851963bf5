import { InterruptedError } from './errors.ts';

/** How a terminal and a service manager ask a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work that ends where the command is asked to end, so that it can clean up; asked again, the process ends at once.
 * @param work ends soon, and throws, once its signal aborts
 * @throws InterruptedError where the command was asked to end; else what the work throws
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let asked: (typeof SIGNALS)[number] | undefined;
  const stop = (): void => SIGNALS.forEach((signal) => process.off(signal, onSignal));
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    stop();
    asked = signal;
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (asked === undefined) throw error;
    throw new InterruptedError(asked, error instanceof Error ? error : undefined);
  } finally {
    stop();
  }
}
