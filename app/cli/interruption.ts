/** How a terminal and a service manager ask a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborts when the command is asked to end, so that it can clean up; asked again, the process ends at once. */
export function interruption(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    stop();
    controller.abort();
  };
  const stop = (): void => SIGNALS.forEach((signal) => process.off(signal, onSignal));
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { signal: controller.signal, stop };
}
