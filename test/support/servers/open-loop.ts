/** How one of the requests went. */
export interface Timed<T> {
  readonly answer: T;
  /** From when it was due, not from when it was sent: a client that comes late has waited, too. */
  readonly ms: number;
}

/** Sends at an even rate, whether or not earlier requests have been answered; resolves when all have. */
export async function openLoop<T>(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  send: (index: number) => Promise<T>,
): Promise<readonly Timed<T>[]> {
  const start = performance.now();
  const sent: Promise<Timed<T>>[] = [];
  while (sent.length < perSecond * seconds) {
    const due = start + (sent.length / perSecond) * 1000;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    sent.push(send(sent.length).then((answer) => ({ answer, ms: performance.now() - due })));
  }
  return Promise.all(sent);
}

/** The value that a share (0..1) of the values does not exceed; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
