import { z } from 'zod';
import type { PictureModel } from '../../exported/picture-model.ts';
import { pictureModelSchema } from '../../exported/picture-model.ts';

const MAX_LINE = 400;

/** What the child says of one file; nothing longer or other than this is taken from it. */
export const inspectionAnswer = z.union([
  z.strictObject({
    architecture: z.string().max(MAX_LINE),
    scale: z.number().positive().max(1000),
    inputChannels: z.int().positive(),
    outputChannels: z.int().positive().nullable(),
    /** Of an ONNX file. */
    onnx: pictureModelSchema.optional(),
  }),
  z.strictObject({ problem: z.string().max(MAX_LINE) }),
]);

export type InspectionAnswer = z.infer<typeof inspectionAnswer>;

/** What is said of an ONNX file that makes pictures of pictures. */
export function answerOfOnnx(onnx: PictureModel): InspectionAnswer {
  const { input, output, scale } = onnx;
  return { architecture: 'ONNX', scale, inputChannels: input.channels, outputChannels: output.channels, onnx };
}

/** What is said of a file where something other than the file was at fault, or the message is no line. */
export function problemOf(error: unknown): InspectionAnswer {
  const text = error instanceof Error ? error.message : String(error);
  return { problem: text.replace(/\s+/g, ' ').slice(0, MAX_LINE) };
}
