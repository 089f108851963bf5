import { ByteFile } from '../checkpoints/byte-file.ts';
import { CheckpointError, shownFile } from '../checkpoints/errors.ts';
import { UnknownNetworkError } from '../architectures/errors.ts';
import { InferenceError } from '../inference/errors.ts';
import { readOnnxModel } from './onnx-model.ts';
import type { PictureModel } from './picture-model.ts';
import { probePictureModel } from './probe.ts';

/** Four times the largest upscaler that is published. */
const MAX_BYTES = 512 * 2 ** 20;

/**
 * Reads an ONNX file whole, and sees that it needs no other: what is run are these bytes, whatever becomes of the file.
 * @throws CheckpointError
 */
export function readOnnxFile(file: string): Buffer {
  try {
    return ByteFile.with(file, (bytes) => {
      if (bytes.size > MAX_BYTES) {
        throw new CheckpointError(
          'too-large',
          `it has ${bytes.size} bytes; at most ${MAX_BYTES} are read of an ONNX model`,
        );
      }
      const whole = bytes.read(0, bytes.size);
      if (whole.length === 0) throw new CheckpointError('empty', 'the file is empty: download it again');
      readOnnxModel(whole);
      return whole;
    });
  } catch (error) {
    throw error instanceof CheckpointError ? error.inFile(file) : error;
  }
}

/**
 * What an ONNX file does with pictures. Runs it: for a process that may be lost.
 * @throws CheckpointError, UnknownNetworkError
 */
export async function inspectOnnxFile(file: string): Promise<PictureModel> {
  const bytes = readOnnxFile(file);
  try {
    return await probePictureModel(bytes);
  } catch (error) {
    if (!(error instanceof UnknownNetworkError) && !(error instanceof InferenceError)) throw error;
    throw new UnknownNetworkError(`${shownFile(file)}: ${error.message}`, { cause: error });
  }
}
