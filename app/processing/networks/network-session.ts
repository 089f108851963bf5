import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { InferenceError } from '../../inference/errors.ts';
import type { Tensor } from '../../inference/session.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import { damagedAnswer } from './damaged-answer.ts';
import type { OpenedSession } from './open-session.ts';
import { openSession } from './open-session.ts';
import type { Fallback } from '../result.ts';
import { openNetwork } from './open-network.ts';

/** Where a network's weights are, what is made of them, and the devices to try, best first. */
export interface NetworkSource {
  readonly file: string;
  /** Makes the model's bytes. If it has an output `has_nan`, an answer in which that is set counts as a failure. */
  readonly build: (network: RecognisedNetwork) => Uint8Array;
  readonly devices: readonly SessionDevice[];
}

/**
 * One loaded network. If its device fails during a run, it is loaded again on the next device and the run is repeated there, so
 * that the work done on the picture before is not lost.
 */
export class NetworkSession {
  readonly architecture: string;
  /** Every device that was not available or failed, and why. */
  readonly fallbacks: Fallback[] = [];
  readonly #model: Uint8Array;
  readonly #weightsFolder: string;
  #opened: OpenedSession;
  #isOpen = true;

  private constructor(architecture: string, model: Uint8Array, weightsFolder: string, opened: OpenedSession) {
    this.architecture = architecture;
    this.#model = model;
    this.#weightsFolder = weightsFolder;
    this.#opened = opened;
    this.fallbacks.push(...opened.fallbacks);
  }

  /** @throws CheckpointError, UnknownNetworkError, WeightsError, InferenceError */
  static async open({ file, build, devices }: NetworkSource): Promise<NetworkSession> {
    const network = openNetwork(file);
    const model = build(network);
    const weightsFolder = weightsFolderOf(file);
    const opened = await openSession(model, { weightsFolder, devices });
    return new NetworkSession(network.architecture, model, weightsFolder, opened);
  }

  get device(): SessionDevice {
    return this.#opened.session.device;
  }

  /**
   * Runs it on its device; if that fails or answers with values that are no numbers, on the next one, and so on.
   * @throws InferenceError, that of the last device, if all fail
   */
  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    for (;;) {
      try {
        return await this.#runOnce(inputs);
      } catch (error) {
        const [failed, ...others] = this.#opened.devices;
        const [next] = others;
        if (!(error instanceof InferenceError) || failed === undefined || next === undefined) throw error;
        this.fallbacks.push({ from: failed, to: next, reason: error.message });
        await this.#reopen(others);
      }
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#opened.session.release();
  }

  async #reopen(devices: readonly SessionDevice[]): Promise<void> {
    await this.close();
    this.#opened = await openSession(this.#model, { weightsFolder: this.#weightsFolder, devices });
    this.#isOpen = true;
    this.fallbacks.push(...this.#opened.fallbacks);
  }

  async #runOnce(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const outputs = await this.#opened.session.run(inputs);
    if (!outputs['has_nan']?.data[0]) return outputs;
    throw damagedAnswer(this);
  }
}
