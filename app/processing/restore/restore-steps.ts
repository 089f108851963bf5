import type { Config } from '../../config.ts';
import type { RestoreStep } from '../../options/restore-options.ts';
import type { FaceRestorer } from '../faces/face-restorer.ts';
import type { ModelFetcher } from '../networks/model-fetcher.ts';
import { Colorizer } from './colorizer.ts';
import { FaceRestoreStep } from './face-restore-step.ts';
import type { ImageStep } from './image-step.ts';
import { NetworkStep } from './network-step.ts';

/** What does each step. */
export type ImageSteps = Readonly<Record<RestoreStep, ImageStep>>;

type StepConfig = Pick<
  Config,
  | 'faceRestorationStrength'
  | 'gpuMemoryBytes'
  | 'maxInputPixels'
  | 'maxOutputPixels'
  | 'modelColorize'
  | 'modelFace'
  | 'tile'
  | 'workersPerCard'
>;

/** The steps of a restoration, each with the model that it runs. */
export function restoreSteps(config: StepConfig, models: ModelFetcher, faces: FaceRestorer): ImageSteps {
  return {
    denoise: new NetworkStep('nafnet-sidd-width64', config, models),
    deblur: new NetworkStep('nafnet-gopro-width64', config, models),
    face: new FaceRestoreStep(config, faces),
    colorize: new Colorizer(config, models),
  };
}
