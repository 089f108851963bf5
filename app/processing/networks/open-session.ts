import type { SessionDevice } from '../../inference/devices.ts';
import { DeviceUnavailableError } from '../../inference/errors.ts';
import { Session } from '../../inference/session.ts';
import type { Fallback } from '../result.ts';

/** A session, its device and those after it in order, and a fallback for each device before it that was not available. */
export interface OpenedSession<T = Session> {
  readonly session: T;
  readonly devices: readonly SessionDevice[];
  readonly fallbacks: readonly Fallback[];
}

/**
 * Loads a model on the first of `devices` that is available.
 * @throws DeviceUnavailableError where none can; InferenceError where the model cannot be loaded
 */
export async function openSession(
  model: Uint8Array,
  { weightsFolder, devices }: { readonly weightsFolder: string; readonly devices: readonly SessionDevice[] },
): Promise<OpenedSession> {
  return openOnFirst(devices, (device) => Session.open(model, { weightsFolder, device }));
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
