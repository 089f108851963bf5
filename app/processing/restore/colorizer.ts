import { basename } from 'node:path';
import { ddcolor } from '../../architectures/color/ddcolor.ts';
import { UnknownNetworkError } from '../../architectures/errors.ts';
import type { RecognisedNetwork } from '../../architectures/registry.ts';
import { checkedTensorGraph } from '../../architectures/tensor-graph.ts';
import type { Config } from '../../config.ts';
import { HiresFixError } from '../../errors.ts';
import type { ImageShape } from '../../imaging/image.ts';
import { coloredShape } from '../../imaging/rgb-rows.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import type { Graph } from '../../onnx/graph.ts';
import { fileStamps } from '../networks/file-stamps.ts';
import { NetworkSession } from '../networks/network-session.ts';
import { DDCOLOR_SIDE, ddcolorInput, paintAb } from './color/ddcolor-picture.ts';
import { deoldifyColors, deoldifyInput, paintChroma, renderSide } from './color/deoldify-picture.ts';
import type { ImageStep, StepContext, StepResult } from './image-step.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import type { ColorizeModel } from '../../options/restore-options.ts';
import type { Fallback } from '../result.ts';

/** Catalogue names. */
const MODELS: Readonly<Record<ColorizeModel, string>> = {
  modelscope: 'ddcolor-modelscope',
  paper_tiny: 'ddcolor-paper-tiny',
  artistic: 'ddcolor-artistic',
  'deoldify-artistic': 'deoldify-artistic',
  'deoldify-stable': 'deoldify-stable',
};

/** The model to try next when one fails. */
const SUBSTITUTES: Readonly<Partial<Record<ColorizeModel, ColorizeModel>>> = { 'deoldify-artistic': 'deoldify-stable' };

/** Share of the stage `colorizing` that is spent in the network; the rest is painting. */
const NETWORK_SHARE = 0.8;

/**
 * Colours a picture: the network looks at a small square of it and answers colours, and these are joined with the light of the
 * full picture, whatever its size. 16 bits and alpha are kept; gray becomes RGB.
 */
export class Colorizer implements ImageStep {
  readonly #config: Pick<Config, 'modelColorize'>;
  readonly #models: ModelFetcher;

  constructor(config: Pick<Config, 'modelColorize'>, models: ModelFetcher) {
    this.#config = config;
    this.#models = models;
  }

  async prepare(context: Pick<StepContext, 'clock' | 'options'>): Promise<void> {
    await this.#firstOf(context, (name) => this.#models.file(MODELS[name], context.clock));
  }

  shapeOf(source: ImageShape): ImageShape {
    return coloredShape(source);
  }

  async run(source: RowSource, context: StepContext): Promise<StepResult> {
    const { value, fallbacks } = await this.#firstOf(context, (name) => this.#color(source, name, context));
    return { ...value, fallbacks: [...fallbacks, ...value.fallbacks] };
  }

  /** Tries the model that was asked for, then its substitute; if both fail, throws the first one's error. */
  async #firstOf<T>(
    { options }: Pick<StepContext, 'options'>,
    attempt: (name: ColorizeModel) => Promise<T>,
  ): Promise<{ readonly value: T; readonly fallbacks: readonly Fallback[] }> {
    const asked = options.colorize_model ?? this.#config.modelColorize;
    try {
      return { value: await attempt(asked), fallbacks: [] };
    } catch (error) {
      const substitute = SUBSTITUTES[asked];
      if (substitute === undefined || !isOfModel(error)) throw error;
      const fallbacks = [{ from: asked, to: substitute, reason: error.message }];
      const value = await attempt(substitute).catch((second: unknown) => {
        throw isOfModel(second) ? error : second;
      });
      return { value, fallbacks };
    }
  }

  async #color(source: RowSource, name: ColorizeModel, context: StepContext): Promise<StepResult> {
    const { clock, slot, devices, options } = context;
    const { render_factor: factor } = options;
    clock.at('loading', 0);
    const file = await this.#models.file(MODELS[name], clock);
    context.onRunning({ device: devices[0] ?? 'cpu', tile: 0, side: 0 });
    const build = (recognised: RecognisedNetwork) => buildColorizer(recognised, file, factor);
    const key = JSON.stringify([file, await fileStamps(file), devices, factor]);
    const network = await slot.hold(key, () => NetworkSession.open({ file, build, devices }));
    context.onRunning({ device: network.device, tile: 0, side: 0 });
    clock.at('colorizing', 0);
    const isDdcolor = network.architecture === ddcolor.name;
    const paint = isDdcolor ? paintWithDdcolor : paintWithDeoldify;
    const image = await paint(source, { network, side: sideOf(network, factor), context });
    const { architecture, device, fallbacks } = network;
    const sha256 = await this.#models.sha256(file);
    const used = { model: basename(file), sha256, architecture, device };
    const info = isDdcolor ? used : { ...used, render_factor: factor };
    return { image, info, fallbacks, warnings: network.warnings };
  }
}

/** The side of the square that a network looks at, in pixels. */
function sideOf({ architecture }: Pick<RecognisedNetwork, 'architecture'>, renderFactor: number): number {
  return architecture === ddcolor.name ? DDCOLOR_SIDE : renderSide(renderFactor);
}

/** @throws UnknownNetworkError where the file's network does not colour */
function buildColorizer(network: RecognisedNetwork, file: string, renderFactor: number): Graph {
  if (network.role !== 'colorizer') {
    throw new UnknownNetworkError(
      `${file}: expected a network that colours pictures (DDColor, DeOldify), the file holds ${network.architecture}`,
    );
  }
  const side = sideOf(network, renderFactor);
  return checkedTensorGraph(network, [1, network.inputChannels, side, side]);
}

/**
 * @param input [1, 3, side, side] in the range that the network takes
 * @returns [1, 2 or 3, side, side] in its own
 */
async function colorsOf(network: NetworkSession, input: Float32Array, side: number): Promise<Float32Array> {
  const { output } = await network.run({ input: { type: 'float32', data: input, dims: [1, 3, side, side] } });
  return output?.data as Float32Array;
}

interface Painting {
  readonly network: NetworkSession;
  readonly side: number;
  readonly context: StepContext;
}

async function paintWithDdcolor(source: RowSource, { network, side, context }: Painting): Promise<ScratchImage> {
  const data = await colorsOf(network, ddcolorInput(source, side), side);
  const image = ScratchImage.create(context.scratch, coloredShape(source));
  paintAb(source, { side, data }, image, paintingProgress(source, context));
  return image;
}

async function paintWithDeoldify(source: RowSource, { network, side, context }: Painting): Promise<ScratchImage> {
  const colors = deoldifyColors(await colorsOf(network, deoldifyInput(source, side), side), side);
  const image = ScratchImage.create(context.scratch, coloredShape(source));
  paintChroma(source, colors, image, paintingProgress(source, context));
  return image;
}

function paintingProgress({ height }: ImageShape, { clock }: StepContext): (rows: number) => void {
  return (rows) => clock.at('colorizing', NETWORK_SHARE + ((1 - NETWORK_SHARE) * rows) / height);
}

/** The machine counts: a session throws its error only when every device has failed, the CPU too. */
function isOfModel(error: unknown): error is Error {
  return error instanceof HiresFixError && (error.fault === 'model' || error.fault === 'machine');
}
