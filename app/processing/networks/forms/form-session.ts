import type { SessionDevice } from '../../../inference/devices.ts';
import { DeviceUnavailableError, InferenceError } from '../../../inference/errors.ts';
import type { SessionOptions, Tensor } from '../../../inference/session.ts';
import { Session } from '../../../inference/session.ts';
import type { DeclaredGraph } from '../../../onnx/graph.ts';
import { serializeModel } from '../../../onnx/model-proto.ts';
import type { PixelSession } from '../network-runner.ts';
import type { GraphForm, GraphForms } from './graph-forms.ts';

/**
 * A session of a graph in the fastest form that its device takes: one that cannot be loaded, or that fails in its first run for want
 * of something other than memory, is replaced by the next. While the first form is in doubt it is loaded, but not run.
 */
export class FormSession implements PixelSession {
  readonly #graph: DeclaredGraph;
  readonly #options: SessionOptions;
  #forms: readonly GraphForm[];
  #reason: string | undefined;
  readonly #begun: Promise<void> | undefined;
  /** The form that may turn out, only after it was loaded, to be one that must not run. */
  readonly #doubted: GraphForm | undefined;
  readonly #doubt: Promise<string | undefined> | undefined;
  #session: Session | undefined;
  #isProven = false;

  private constructor(graph: DeclaredGraph, { forms, reason, begun, doubt }: GraphForms, options: SessionOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#forms = forms;
    this.#reason = reason;
    this.#begun = begun;
    this.#doubted = forms[0];
    this.#doubt = doubt;
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
    await this.#settleDoubt();
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

  async #settleDoubt(): Promise<void> {
    const reason = await this.#doubt;
    const [first, ...others] = this.#forms;
    if (reason === undefined || first !== this.#doubted) return;
    await this.release();
    this.#forms = others;
    this.#reason = reason;
  }

  async #loaded(): Promise<Session> {
    for (;;) {
      if (this.#session) return this.#session;
      try {
        const [form] = this.#forms;
        const model = serializeModel(form ? form(this.#graph) : this.#graph);
        await this.#begun;
        this.#session = await Session.open(model, this.#options);
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
