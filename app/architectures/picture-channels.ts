import type { Channels } from '../imaging/image.ts';
import { hasAlpha } from '../imaging/image.ts';
import type { Value } from '../onnx/value.ts';
import type { Network } from './architecture.ts';
import { UnknownNetworkError } from './errors.ts';
import type { RecognisedNetwork } from './registry.ts';

/** How many channels a network takes and gives. */
export type NetworkChannels = Pick<Network, 'inputChannels' | 'outputChannels'>;

/** What of a picture's pixels decides how they go through a network. */
export interface PixelKind {
  readonly channels: Channels;
  /** Its alpha is known to be full everywhere: it stays so, and makes no image of its own. */
  readonly isOpaque: boolean;
}

/** Weights of R, G and B in gray, as OpenCV and Pillow have them (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Gray, colour, colour with alpha: what a network of pictures takes and gives. */
const OF_PICTURES: readonly (number | null)[] = [1, 3, 4];

/** @throws UnknownNetworkError, naming the file, where no picture can go through the network */
export function assertTakesPictures(network: RecognisedNetwork): void {
  const { architecture, role, inputChannels: inputs, outputChannels: outputs, weights } = network;
  if (role !== undefined) {
    throw new UnknownNetworkError(`${weights.fileName}: ${architecture} is a ${role} and cannot upscale pictures`);
  }
  if (OF_PICTURES.includes(inputs) && OF_PICTURES.includes(outputs)) return;
  throw new UnknownNetworkError(
    `${weights.fileName}: this ${architecture} takes ${inputs} ${inputs === 1 ? 'channel' : 'channels'} and gives ${outputs ?? 'none'}; pictures have 1, 3 or 4`,
  );
}

/**
 * Channels of what a network makes of a picture. A network that gives what it takes leaves them as they are, and so does chaiNNer
 * say of its own (`convenient_upscale`); of others the result has the network's. Alpha that such a network neither sees nor makes
 * goes with the result, as it does elsewhere.
 */
export function resultChannels({ inputChannels, outputChannels }: NetworkChannels, channels: Channels): Channels {
  if (inputChannels === outputChannels) return channels;
  const own = outputChannels === 1 || outputChannels === 3 ? outputChannels : 4;
  const isKept = hasAlpha(channels) && inputChannels !== 4 && own !== 4;
  return (isKept ? own + 1 : own) as Channels;
}

/** Whether alpha of the result is what became of the picture's, not something that the network makes of colours alone. */
export function keepsAlpha({ inputChannels, outputChannels }: NetworkChannels): boolean {
  return outputChannels !== 4 || inputChannels === 4;
}

/** How many images a network sees of one picture. */
export function imagesSeen(network: NetworkChannels, { channels, isOpaque }: PixelKind): number {
  const { inputChannels: inputs, outputChannels: outputs } = network;
  const isAlphaSeen = hasAlpha(channels) && !isOpaque;
  if (inputs === 1 && outputs === 1) return hasAlpha(channels) && isOpaque ? channels - 1 : channels;
  return isAlphaSeen && inputs !== 4 && outputs !== 4 ? 2 : 1;
}

/**
 * [C, H, W] to the [N, inputChannels, H, W] that the network takes. A network from gray to gray takes every channel as an image;
 * one of four channels takes alpha as it is, full where there is none. For all others gray is three equal channels, colours
 * become luma where one is taken, and alpha is an image of its own, gray.
 */
export function toNetwork(planes: Value, network: NetworkChannels, { channels, isOpaque }: PixelKind): Value {
  const { inputChannels: inputs, outputChannels: outputs } = network;
  const colors = hasAlpha(channels) ? channels - 1 : channels;
  if (inputs === 1 && outputs === 1) return (isOpaque ? planes.slice(0, 0, colors) : planes).unsqueeze(1);
  const seen = hasAlpha(channels) ? planes.slice(0, 0, colors) : planes;
  const picture = (inputs === 1 ? asGray(seen) : asColor(seen)).unsqueeze(0);
  const alpha = hasAlpha(channels) ? planes.slice(0, colors, channels) : undefined;
  if (inputs === 4) return picture.concat([(alpha ?? fullPlane(planes)).unsqueeze(0)]);
  if (alpha === undefined || isOpaque || outputs === 4) return picture;
  return picture.concat([(inputs === 1 ? alpha : asColor(alpha)).unsqueeze(0)], 0);
}

/** What the network gave, back to [C, H, W] with the channels of the result. */
export function fromNetwork(output: Value, network: NetworkChannels, pixels: PixelKind): Value {
  const { inputChannels: inputs, outputChannels: outputs } = network;
  const { channels, isOpaque } = pixels;
  const count = resultChannels(network, channels);
  const withFullAlpha = (colors: Value): Value => colors.concat([fullPlane(colors)], 0);
  if (inputs === 1 && outputs === 1) {
    return isOpaque ? withFullAlpha(output.squeeze(1)) : output.squeeze(1);
  }
  const picture = (output.size(0) === 1 ? output : output.slice(0, 0, 1)).squeeze(0);
  const given = outputs === 4 ? picture.slice(0, 0, 3) : picture;
  const colors = count < 3 ? asGray(given) : given;
  if (!hasAlpha(count)) return colors;
  if (isOpaque && keepsAlpha(network)) return withFullAlpha(colors);
  const alpha = outputs === 4 ? picture.slice(0, 3, 4) : asGray(output.slice(0, 1, 2).squeeze(0));
  return colors.concat([alpha], 0);
}

/** [1 or 3, H, W] to [1, H, W]. */
function asGray(planes: Value): Value {
  return planes.size(0) === 1 ? planes : planes.multiply(planes.graph.constant(LUMA, [3, 1, 1])).sum(0);
}

/** [1 or 3, H, W] to [3, H, W]. */
function asColor(planes: Value): Value {
  return planes.size(0) === 1 ? planes.concat([planes, planes], 0) : planes;
}

/** [1, H, W] of full alpha, as wide and high as `planes` ([C, H, W]). */
function fullPlane(planes: Value): Value {
  return planes.slice(0, 0, 1).clip(1, 1);
}
