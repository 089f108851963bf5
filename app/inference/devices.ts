/** A device that a session can run on, and onnxruntime's name for the provider that does it. */
export const PROVIDERS = { cuda: 'cuda', mps: 'coreml', cpu: 'cpu' } as const;

export type SessionDevice = keyof typeof PROVIDERS;

/**
 * The devices to try, best first.
 * @param asked `auto` tries every one that the platform can have; a named device is tried first, then the CPU
 * @param excluded devices that failed before; the CPU is never excluded by name alone, being the last resort
 */
export function deviceLadder(asked: 'auto' | SessionDevice, excluded: readonly string[] = []): SessionDevice[] {
  const wanted: SessionDevice[] = asked === 'auto' ? platformDevices() : [asked];
  const usable = wanted.filter((device) => device === 'cpu' || !excluded.includes(device));
  return usable.includes('cpu') ? usable : [...usable, 'cpu'];
}

/**
 * CUDA has builds for Linux and Windows, CoreML for Apple silicon. Other providers of onnxruntime (WebGPU, DirectML) are left
 * out: on a machine without a GPU they may find a software renderer, slower than the CPU and with other rounding.
 */
function platformDevices(): SessionDevice[] {
  if (process.platform === 'darwin') return process.arch === 'arm64' ? ['mps', 'cpu'] : ['cpu'];
  return process.arch === 'x64' ? ['cuda', 'cpu'] : ['cpu'];
}
