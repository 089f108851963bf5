import { UnknownNetworkError } from '../../architectures/errors.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { recognise } from '../../architectures/registry.ts';
import { buildTensorGraph } from '../../architectures/tensor-graph.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { Session } from '../../inference/session.ts';
import { weightsFolderOf } from '../../inference/session.ts';
import { damagedAnswer } from './damaged-answer.ts';
import { openSession } from './open-session.ts';
import type { Fallback } from '../result.ts';

/** A colouring network, loaded for squares of one size. */
export class ColorNetwork {
  readonly architecture: string;
  /** Every device that could not be had, and why. */
  readonly fallbacks: readonly Fallback[];
  readonly #session: Session;
  readonly #side: number;

  private constructor(
    { architecture }: RecognisedNetwork,
    side: number,
    opened: { readonly session: Session; readonly fallbacks: readonly Fallback[] },
  ) {
    this.architecture = architecture;
    this.fallbacks = opened.fallbacks;
    this.#session = opened.session;
    this.#side = side;
  }

  /** Recognises the network of a checkpoint. @throws CheckpointError, UnknownNetworkError, WeightsError */
  static recognise(file: string): RecognisedNetwork {
    const network = recognise(openCheckpoint(file));
    if (network.role === 'colorizer') return network;
    throw new UnknownNetworkError(
      `${file}: expected a network that colours pictures (DDColor, DeOldify), the file holds ${network.architecture}`,
    );
  }

  /**
   * Loads it for squares of `side` pixels, on the first of `devices` that can be had.
   * @throws InferenceError
   */
  static async open(
    network: RecognisedNetwork,
    {
      file,
      side,
      devices,
    }: { readonly file: string; readonly side: number; readonly devices: readonly SessionDevice[] },
  ): Promise<ColorNetwork> {
    const model = buildTensorGraph(network, [1, network.inputChannels, side, side]);
    return new ColorNetwork(network, side, await openSession(model, { weightsFolder: weightsFolderOf(file), devices }));
  }

  get device(): SessionDevice {
    return this.#session.device;
  }

  /**
   * @param input [1, 3, side, side] in the range that the network takes
   * @returns [1, 2 or 3, side, side] in its own
   * @throws InferenceError also where the answer has values that are no numbers
   */
  async run(input: Float32Array): Promise<Float32Array> {
    const dims = [1, 3, this.#side, this.#side];
    const { output } = await this.#session.run({ input: { type: 'float32', data: input, dims } });
    const data = output?.data as Float32Array;
    if (!data.some(Number.isNaN)) return data;
    throw damagedAnswer(this);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
