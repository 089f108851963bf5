/** The thread of a rehearsal: opens a session on a device, runs it once, and says what came of it. */
import { tmpdir } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Session } from '../../../inference/session.ts';
import { CHANNELS_LAST_PROBE } from '../../../rewriting/channels-last-probe.ts';
import type { RehearsalMessage, RehearsalTask } from './rehearsal.ts';

const tell = (message: RehearsalMessage): void => parentPort?.postMessage(message);

tell({ isRight: await convolvesChannelsLast(workerData as RehearsalTask) });

/** Whether a device runs the convolutions of the internal domain, and they calculate what they are taken to. */
async function convolvesChannelsLast({ device, model }: RehearsalTask): Promise<boolean> {
  const { inputs, isRight } = CHANNELS_LAST_PROBE;
  try {
    const session = await Session.open(model, { weightsFolder: tmpdir(), device });
    tell('begun');
    const outputs = await session.run(inputs);
    await session.release();
    return isRight(outputs);
  } catch {
    return false; // why the device cannot be had, if it cannot, is told where a network is loaded on it
  }
}
