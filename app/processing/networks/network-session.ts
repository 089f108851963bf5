import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { recognise } from '../../architectures/registry.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { InferenceError } from '../../inference/errors.ts';
import type { Tensor } from '../../inference/session.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import { damagedAnswer } from './damaged-answer.ts';
import type { OpenedSession } from './open-session.ts';
import { openSession } from './open-session.ts';
import type { Fallback } from '../result.ts';

/** Where a face network's weights are, what is made of them, and the devices to try, best first. */
export interface FaceNetworkOptions {
  readonly file: string;
  readonly build: (network: RecognisedNetwork) => Uint8Array;
  readonly devices: readonly SessionDevice[];
}

/**
 * One network of a face pipeline, loaded. Where a device fails while it runs, it is loaded again on the next: that a face
 * cannot be restored is not worth the picture that was made before.
 */
export class NetworkSession {
  readonly architecture: string;
  /** Every device that could not be had or failed, and why. */
  readonly fallbacks: Fallback[] = [];
  readonly #model: Uint8Array;
  readonly #weightsFolder: string;
  #opened: OpenedSession;

  private constructor(architecture: string, model: Uint8Array, weightsFolder: string, opened: OpenedSession) {
    this.architecture = architecture;
    this.#model = model;
    this.#weightsFolder = weightsFolder;
    this.#opened = opened;
    this.fallbacks.push(...opened.fallbacks);
  }

  /** @throws CheckpointError, UnknownNetworkError, WeightsError, InferenceError */
  static async open({ file, build, devices }: FaceNetworkOptions): Promise<NetworkSession> {
    const network = recognise(openCheckpoint(file));
    const model = build(network);
    const weightsFolder = weightsFolderOf(file);
    const opened = await openSession(model, { weightsFolder, devices });
    return new NetworkSession(network.architecture, model, weightsFolder, opened);
  }

  get device(): SessionDevice {
    return this.#opened.session.device;
  }

  /** @throws InferenceError where no device does it, or the answer has values that are no numbers */
  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    for (;;) {
      try {
        return await this.#runOnce(inputs);
      } catch (error) {
        const [failed, ...others] = this.#opened.devices;
        const [next] = others;
        if (!(error instanceof InferenceError) || failed === undefined || next === undefined) throw error;
        this.fallbacks.push({ from: failed, to: next, reason: error.message });
        await this.close();
        this.#opened = await openSession(this.#model, { weightsFolder: this.#weightsFolder, devices: others });
        this.fallbacks.push(...this.#opened.fallbacks);
      }
    }
  }

  async close(): Promise<void> {
    await this.#opened.session.release();
  }

  async #runOnce(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const outputs = await this.#opened.session.run(inputs);
    if (!outputs['has_nan']?.data[0]) return outputs;
    throw damagedAnswer(this);
  }
}
