/** A device that a session can run on, and onnxruntime's name for the provider that does it. */
export const PROVIDERS = { cuda: 'cuda', mps: 'coreml', cpu: 'cpu' } as const;

export type SessionDevice = keyof typeof PROVIDERS;

/**
 * The devices to try, best first; the CPU is always the last resort.
 * @param asked `auto` tries every one that is `installed`; a named device is tried whether or not, so that its absence is told
 * @param installed devices whose provider this build of onnxruntime has
 * @param excluded devices that failed before
 */
export function deviceLadder(
  asked: 'auto' | SessionDevice,
  installed: readonly SessionDevice[],
  excluded: readonly string[] = [],
): SessionDevice[] {
  const wanted = asked === 'auto' ? installed : [asked];
  const usable = wanted.filter((device) => device !== 'cpu' && !excluded.includes(device));
  return [...usable, 'cpu'];
}
