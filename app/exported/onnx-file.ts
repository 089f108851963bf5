import { ByteFile } from '../checkpoints/byte-file.ts';
import { CheckpointError, shownFile } from '../checkpoints/errors.ts';
import { UnknownNetworkError } from '../architectures/errors.ts';
import { InferenceError } from '../inference/errors.ts';
import { withDataBeside } from './external-data.ts';
import { readOnnxModel } from './onnx-model.ts';
import type { PictureModel } from './picture-model.ts';
import { MAX_ONNX_BYTES } from './picture-model.ts';
import { probePictureModel } from './probe.ts';

/**
 * Reads an ONNX file whole, with weights that lie in files beside it, and sees that it needs nothing else: what is run are these bytes,
 * whatever becomes of the files.
 * @throws CheckpointError
 */
export function readOnnxFile(file: string): Buffer {
  try {
    return ByteFile.with(file, (bytes) => {
      if (bytes.size > MAX_ONNX_BYTES) {
        throw new CheckpointError(
          'too-large',
          `it has ${bytes.size} bytes; at most ${MAX_ONNX_BYTES} are read of an ONNX model`,
        );
      }
      const whole = bytes.read(0, bytes.size);
      if (whole.length === 0) throw new CheckpointError('empty', 'the file is empty: download it again');
      const complete = withDataBeside(whole, file, MAX_ONNX_BYTES);
      readOnnxModel(complete);
      return complete;
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
