import type { SessionDevice } from '../../inference/devices.ts';
import { DeviceUnavailableError } from '../../inference/errors.ts';
import type { Fallback } from '../result.ts';

/** A session, its device and those after it in order, and a fallback for each device before it that was not available. */
export interface OpenedSession<T> {
  readonly session: T;
  readonly devices: readonly SessionDevice[];
  readonly fallbacks: readonly Fallback[];
}

/**
 * Opens what `open` makes on the first of `devices` that is available.
 * @throws DeviceUnavailableError where none can; whatever else `open` throws
 */
export async function openOnFirst<T>(
  devices: readonly SessionDevice[],
  open: (device: SessionDevice) => Promise<T>,
): Promise<OpenedSession<T>> {
  const fallbacks: Fallback[] = [];
  for (let tried = 0; ; tried++) {
    const [device = 'cpu', next] = devices.slice(tried);
    try {
      return { session: await open(device), devices: devices.slice(tried), fallbacks };
    } catch (error) {
      if (!(error instanceof DeviceUnavailableError) || next === undefined) throw error;
      fallbacks.push({ from: device, to: next, reason: error.message });
    }
  }
}
