import type { CheckpointReport } from '../../architectures/inspect-checkpoint.ts';
import { inspectCheckpoint } from '../../architectures/inspect-checkpoint.ts';
import type { PictureModel } from '../../exported/picture-model.ts';
import { isOnnxName } from '../../exported/picture-model.ts';
import { checkWeightsOnce } from './check-weights-once.ts';
import { pictureModelOf } from './picture-model-of.ts';

/**
 * What `hiresfix models inspect` tells of a model: what it calls good runs.
 * @throws CheckpointError, UnknownNetworkError, WeightsError; InspectionError for an ONNX file that is no upscaler
 */
export async function inspectModel(file: string): Promise<CheckpointReport> {
  return isOnnxName(file) ? reportOf(await pictureModelOf(file)) : inspectCheckpoint(file, checkWeightsOnce);
}

function reportOf({ input, output, scale, width, height, ...model }: PictureModel): CheckpointReport {
  return {
    architecture: 'ONNX',
    scale,
    input_channels: input.channels,
    output_channels: output.channels,
    parameters: {
      opset: model.opset,
      element: input.element,
      layout: input.layout,
      range: `0..${input.full}`,
      width,
      height,
      multiple_of: model.multipleOf,
    },
    tensors: model.tensors,
    parameter_count: model.parameterCount,
    format: 'onnx',
  };
}
