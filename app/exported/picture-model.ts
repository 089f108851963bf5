import { z } from 'zod';

/** Where the channels are among the four dimensions of a batch of pictures. */
const layout = z.enum(['nchw', 'nhwc']);
const element = z.enum(['float32', 'float16', 'uint8']);
const channels = z.union([z.literal(1), z.literal(3), z.literal(4)]);
const full = z.union([z.literal(1), z.literal(255)]);
const side = z
  .int()
  .min(1)
  .max(1 << 16);
const count = z.number().min(0);

/** An end of a model: how its pictures lie in memory, in what numbers, and what full brightness is. */
const pictureEnd = z.strictObject({ name: z.string().max(1 << 16), channels, layout, element, full });

/** What is known of an ONNX file that maps a picture to a picture, once it was tried. */
export const pictureModelSchema = z.strictObject({
  input: pictureEnd,
  output: pictureEnd,
  /** Output pixels per input pixel along a side. */
  scale: z.int().min(1).max(16),
  /** The only width and height that it takes; null where it takes any. */
  width: side.nullable(),
  height: side.nullable(),
  /** Sides must be a multiple of this. */
  multipleOf: side,
  /** What its tiles need, as far as that was found out. */
  needs: z.strictObject({
    /** Input pixels around a tile that it must see for tiles that do not show; missing where there is no end to it, or none was found. */
    halo: side.or(z.literal(0)).optional(),
    /** Peak memory of activations for one input pixel, at least. */
    workingBytesPerPixel: count,
  }),
  opset: side,
  tensors: count,
  parameterCount: count,
});

export type PictureModel = z.infer<typeof pictureModelSchema>;
export type PictureEnd = z.infer<typeof pictureEnd>;
export type PictureLayout = z.infer<typeof layout>;

/** Four times the largest upscaler that is published; weights that lie beside the file included. */
export const MAX_ONNX_BYTES = 512 * 2 ** 20;

/** Smaller pictures are padded: what a network pads by itself has to fit into them. */
export const LEAST_SIDE = 24;

/** Whether a file is taken for an ONNX model: by its ending alone, without a look into it. */
export function isOnnxName(file: string): boolean {
  return file.toLowerCase().endsWith('.onnx');
}
