import { SHARE_ENV, Worker } from 'node:worker_threads';
import { threadedModule } from '../../../files/forked-module.ts';
import type { SessionDevice } from '../../../inference/devices.ts';
import { beginRuntime } from '../../../inference/session.ts';
import { serializeModel } from '../../../onnx/model-proto.ts';
import { CHANNELS_LAST_PROBE } from '../../../rewriting/channels-last-probe.ts';

/** What the thread of a rehearsal is given: a device, and the model of a `CHANNELS_LAST_PROBE`. */
export interface RehearsalTask {
  readonly device: SessionDevice;
  readonly model: Uint8Array;
}

/** What it says: `begun`, when the device is there; last, whether it answered as it should. */
export type RehearsalMessage = 'begun' | { readonly isRight: boolean };

/** A device that is being started and tried, beside whatever else this process does. */
export interface Rehearsal {
  /** When the device is started, or has failed to: sessions that are opened now need not wait for its libraries. */
  readonly begun: Promise<void>;
  /** Whether it convolves with channels last as it is expected to; false also where it cannot be had. Never rejected. */
  readonly isRight: Promise<boolean>;
}

const rehearsals = new Map<SessionDevice, Rehearsal>();

/** The rehearsal of a device, one in a process: begun by whoever asks first. */
export function rehearsalOn(device: SessionDevice): Rehearsal {
  const rehearsal = rehearsals.get(device) ?? rehearse(device);
  rehearsals.set(device, rehearsal);
  return rehearsal;
}

/**
 * Starts a device in a thread, and tries there how it convolves. What a device loads and sets up belongs to the process, but the runtime
 * does it in the thread that opens a session, which can do nothing else meanwhile.
 * @param model what is run: the probe's
 */
export function rehearse(
  device: SessionDevice,
  model: Uint8Array = serializeModel(CHANNELS_LAST_PROBE.graph()),
): Rehearsal {
  beginRuntime();
  const thread = new Worker(threadedModule(import.meta.url, './rehearsal-thread'), {
    workerData: { device, model } satisfies RehearsalTask,
    env: SHARE_ENV, // libraries of the device look up variables, which a thread's own copy of them does not set
    execArgv: [],
  });
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const isRight = new Promise<boolean>((resolve) => {
    thread.on('message', (message: RehearsalMessage) => (message === 'begun' ? begin() : resolve(message.isRight)));
    thread.on('error', () => resolve(false)); // it has no memory, say: the session that is to work will fail too, and tell why
    thread.on('exit', () => resolve(false));
  });
  return { begun: Promise.race([begun, isRight.then(() => undefined)]), isRight };
}
