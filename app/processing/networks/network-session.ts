import type { RecognisedNetwork } from '../../architectures/registry.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { InferenceError } from '../../inference/errors.ts';
import type { Tensor } from '../../inference/session.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import type { Graph } from '../../onnx/graph.ts';
import { damagedAnswer } from './damaged-answer.ts';
import { FormSession } from './forms/form-session.ts';
import { formsOn } from './forms/graph-forms.ts';
import type { OpenedSession } from './open-on-first.ts';
import { openOnFirst } from './open-on-first.ts';
import type { Fallback } from '../result.ts';
import { openNetwork } from './open-network.ts';

/** Where a network's weights are, what is made of them, and the devices to try, best first. */
export interface NetworkSource {
  readonly file: string;
  /** Makes its graph. If that has an output `has_nan`, an answer in which that is set counts as a failure. */
  readonly build: (network: RecognisedNetwork) => Graph;
  readonly devices: readonly SessionDevice[];
  /** How graphs may be laid out on a device; by default as is best there. */
  readonly forms?: typeof formsOn;
}

type OpenOnFirst = (devices: readonly SessionDevice[]) => Promise<OpenedSession<FormSession>>;

/**
 * One loaded network. If its device fails during a run, it is loaded again on the next device and the run is repeated there, so
 * that the work done on the picture before is not lost.
 */
export class NetworkSession {
  readonly architecture: string;
  /** Every device that was not available or failed, and why. */
  readonly fallbacks: Fallback[] = [];
  readonly #open: OpenOnFirst;
  #opened: OpenedSession<FormSession>;
  #isOpen = true;

  private constructor(architecture: string, open: OpenOnFirst, opened: OpenedSession<FormSession>) {
    this.architecture = architecture;
    this.#open = open;
    this.#opened = opened;
    this.fallbacks.push(...opened.fallbacks);
  }

  /** @throws CheckpointError, UnknownNetworkError, WeightsError, InferenceError */
  static async open({ file, build, devices, forms = formsOn }: NetworkSource): Promise<NetworkSession> {
    const network = openNetwork(file);
    const graph = build(network).contents();
    const weightsFolder = weightsFolderOf(file);
    const open: OpenOnFirst = (candidates) =>
      openOnFirst(candidates, async (device) =>
        FormSession.open(graph, await forms(device), { weightsFolder, device }),
      );
    return new NetworkSession(network.architecture, open, await open(devices));
  }

  get device(): SessionDevice {
    return this.#opened.session.device;
  }

  /** What is to be known of how it ran. */
  get warnings(): readonly string[] {
    const { warning } = this.#opened.session;
    return warning === undefined ? [] : [warning];
  }

  /**
   * Runs it on its device; if that fails or answers with values that are not numbers, on the next one, and so on.
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
    this.#opened = await this.#open(devices);
    this.#isOpen = true;
    this.fallbacks.push(...this.#opened.fallbacks);
  }

  async #runOnce(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    const outputs = await this.#opened.session.run(inputs);
    if (!outputs['has_nan']?.data[0]) return outputs;
    throw damagedAnswer(this);
  }
}
