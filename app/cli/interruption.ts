import { InterruptedError } from './errors.ts';

/** How a terminal and a service manager ask a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let partsThatTakeCtrlC = 0;

/**
 * Does a part of a command's work that Ctrl-C ends alone: the command goes on, whatever else of it listens.
 * @param part ends soon once its signal aborts
 */
export async function interruptiblePart<T>(part: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = (): void => controller.abort();
  process.once('SIGINT', onInterrupt);
  partsThatTakeCtrlC++;
  try {
    return await part(controller.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
    partsThatTakeCtrlC--;
  }
}

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
    if (signal === 'SIGINT' && partsThatTakeCtrlC > 0) return;
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
