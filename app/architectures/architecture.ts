import type { Value } from '../onnx/value.ts';
import type { Weights } from '../onnx/weights.ts';

/** Values by the names under which `models run` reads and writes them. */
export type NamedValues = Readonly<Record<string, Value>>;

/** A parameter of a reference's constructor. */
export type Parameter = number | string | boolean | null | readonly Parameter[];

/** What the keys and shapes of a checkpoint tell of its network, and how to build it. */
export interface Network {
  /** Output pixels per input pixel along a side. */
  readonly scale: number;
  readonly inputChannels: number;
  /** Null where the answer is no picture. */
  readonly outputChannels: number | null;
  /** The reference constructor's parameters under their own names, as `models inspect` shows them. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Settings that the keys do not tell and that the built network takes for granted; a file that says otherwise is refused. */
  readonly assumes?: Readonly<Record<string, Parameter>>;
  /** Sides (and the origins of tiles) must be a multiple of this; others are padded right and bottom, and the result is cropped. */
  readonly multipleOf: number;
  /**
   * What such padding holds: the picture mirrored, unless the reference has zeros. `own`: the network pads by itself, in a way
   * of its own, and so takes pictures of any size; `multipleOf` is then for the origins of tiles alone.
   */
  readonly padding?: 'zeros' | 'own';
  /**
   * Input pixels around a tile that the network must see so that the tile cannot be told from the whole image: the
   * receptive field where it is small, else the distance at which the rest is below one 8-bit level.
   */
  readonly halo: number;
  /**
   * Whether `halo` makes tiles equal to the whole image; it does unless a network looks at all of it (a global mean): then
   * the whole image is the reference's result, and tiles are what memory makes of it.
   */
  readonly tiling?: 'whole-image-preferred';
  /**
   * What the network is for, where it is not to map a picture in 0..1 to a picture: such networks are parts of a pipeline
   * of their own, with ranges of their own.
   */
  readonly role?: 'colorizer' | 'face-restorer' | 'face-detector' | 'face-parser';
  /** Peak memory of activations for one input pixel, in bytes: a rough figure, by which tiles are sized. */
  readonly workingBytesPerPixel: number;
  /** The same where the form for the CPU takes less. */
  readonly workingBytesPerPixelOnCpu?: number;
  /** Whether it has dense blocks (`region('dense-block')`), which are what is made to run in 8-bit integers. */
  readonly hasDenseBlocks?: boolean;
  /** Why it is not made to run in 8-bit integers, where that is not for want of dense blocks: see `int8RefusalOf`. */
  readonly int8Refusal?: string;
  /** Whether its result in 16-bit floats was found to be the same within three 8-bit levels: then GPUs run it in those by default. */
  readonly holdsHalf?: boolean;
  /**
   * Whether the graph is one for a picture of one size: it needs the picture's width and height while it is built (the windows and
   * masks of windowed attention). Other graphs leave sides open and take pictures of any size.
   */
  readonly sides?: 'fixed';
  /** The only width and height it takes, where it takes no other. */
  readonly side?: number;
  /** Inputs of one element beside the image, and what each is where the caller gives none (CodeFormer's fidelity `w`). */
  readonly scalars?: Readonly<Record<string, number>>;
  /**
   * Appends the network to the graph of `image` ([N, inputChannels, H, W]; RGB in 0..1 unless the role has a range of its own);
   * returns [N, outputChannels, H scale, W scale], or several values by name. `scalars` has a value of shape [1] for every
   * name that the network declares.
   */
  build(image: Value, scalars: NamedValues): Value | NamedValues;
}

/** A family of networks: how its checkpoints are told from others', and how one of them is read. */
export interface Architecture {
  /** As `models inspect` shows it. */
  readonly name: string;
  /** What `detect` looks for, in words: shown when no architecture fits a file. */
  readonly looksFor: string;
  /** May answer yes for a foreign file, never no for its own; so the registry is ordered. */
  detect(weights: Weights): boolean;
  read(weights: Weights): Network;
  /** Tensors that such files carry and the network does not use. */
  ignores?(name: string): boolean;
}

/** Why a network is not made to run in 8-bit integers; undefined where it may be. */
export function int8RefusalOf({
  hasDenseBlocks,
  int8Refusal,
}: Pick<Network, 'hasDenseBlocks' | 'int8Refusal'>): string | undefined {
  return (
    int8Refusal ??
    (hasDenseBlocks ? undefined : 'it has no dense blocks, which are what is made to run in 8-bit integers')
  );
}
