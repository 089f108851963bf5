import type { SessionDevice } from '../../inference/devices.ts';
import { DeviceUnavailableError, InferenceError } from '../../inference/errors.ts';
import type { SessionOptions, Tensor } from '../../inference/session.ts';
import { Session } from '../../inference/session.ts';
import type { DeclaredGraph } from '../../onnx/graph.ts';
import { serializeModel } from '../../onnx/model-proto.ts';
import type { GraphForm, GraphForms } from './graph-forms.ts';
import type { PixelSession } from './network-runner.ts';

/**
 * A session of a graph in the fastest form that its device takes: one that cannot be loaded, or that fails in its first run for want
 * of something other than memory, is replaced by the next.
 */
export class FormSession implements PixelSession {
  readonly #graph: DeclaredGraph;
  readonly #options: SessionOptions;
  #forms: readonly GraphForm[];
  #reason: string | undefined;
  #session: Session | undefined;
  #isProven = false;

  private constructor(graph: DeclaredGraph, { forms, reason }: GraphForms, options: SessionOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#forms = forms;
    this.#reason = reason;
  }

  /** @throws DeviceUnavailableError, InferenceError where the plain form cannot be loaded either */
  static async open(graph: DeclaredGraph, forms: GraphForms, options: SessionOptions): Promise<FormSession> {
    const opened = new FormSession(graph, forms, options);
    await opened.#loaded();
    return opened;
  }

  get device(): SessionDevice {
    return this.#options.device;
  }

  /** Said where the fastest form was not to be had. */
  get warning(): string | undefined {
    return this.#reason === undefined ? undefined : `the network ran in a slower form: ${this.#reason}`;
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    for (;;) {
      try {
        const outputs = await (await this.#loaded()).run(inputs);
        this.#isProven = true;
        return outputs;
      } catch (error) {
        if (this.#isProven || !(error instanceof InferenceError) || error.isOutOfMemory) throw error;
        await this.release();
        this.#next(error);
      }
    }
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  async #loaded(): Promise<Session> {
    for (;;) {
      if (this.#session) return this.#session;
      try {
        const [form] = this.#forms;
        const graph = form ? form(this.#graph) : this.#graph;
        this.#session = await Session.open(serializeModel(graph), this.#options);
      } catch (error) {
        this.#next(error);
      }
    }
  }

  /** Goes on to the next form. @throws `error` where there is none, or where another form cannot help */
  #next(error: unknown): void {
    const [, ...others] = this.#forms;
    const mayHelp = error instanceof DeviceUnavailableError || error instanceof InferenceError;
    if (others.length === 0 || !mayHelp) throw error;
    this.#forms = others;
    this.#reason = error.message;
  }
}
