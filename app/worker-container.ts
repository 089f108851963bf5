import 'reflect-metadata'; // tsyringe throws on load without it, so it stays the first import
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import { container as root, instancePerContainerCachingFactory as once } from 'tsyringe';
import { createCatalog } from './catalog/create-catalog.ts';
import type { ModelCatalog } from './catalog/model-catalog.ts';
import type { Config } from './config.ts';
import { Colorizer } from './processing/restore/colorizer.ts';
import { FaceCropUpscaler } from './processing/faces/face-crop-upscaler.ts';
import { FindFacesProcessor } from './processing/faces/find-faces-processor.ts';
import { FaceProcessor } from './processing/faces/face-processor.ts';
import { FaceRestoreStep } from './processing/restore/face-restore-step.ts';
import { FaceRestorer } from './processing/faces/face-restorer.ts';
import { HiresFixProcessor } from './processing/upscale/hires-fix-processor.ts';
import { ImageUpscaler } from './processing/upscale/image-upscaler.ts';
import { ModelFetcher } from './processing/networks/model-fetcher.ts';
import { ModelOptimizer } from './processing/int8/model-optimizer.ts';
import { NetworkStep } from './processing/restore/network-step.ts';
import type { ImageSteps } from './processing/restore/restore-processor.ts';
import { RestoreProcessor } from './processing/restore/restore-processor.ts';
import { UpscalerChooser } from './processing/upscale/upscaler-choice.ts';

const token = <T>(name: string): InjectionToken<T> => Symbol(name);
export const MODEL_CATALOG = token<ModelCatalog>('ModelCatalog');
export const UPSCALER_CHOOSER = token<UpscalerChooser>('UpscalerChooser');
export const IMAGE_UPSCALER = token<ImageUpscaler>('ImageUpscaler');
export const HIRES_FIX_PROCESSOR = token<HiresFixProcessor>('HiresFixProcessor');
export const MODEL_FETCHER = token<ModelFetcher>('ModelFetcher');
export const FACE_RESTORER = token<FaceRestorer>('FaceRestorer');
export const FACE_FINDER = token<FindFacesProcessor>('FaceFinder');
export const FACE_PROCESSOR = token<FaceProcessor>('FaceProcessor');
export const RESTORER = token<RestoreProcessor>('Restorer');
export const MODEL_OPTIMIZER = token<ModelOptimizer>('ModelOptimizer');

/** The composition root of a worker process: what works on pixels. That of the server is container.ts. */
export function createWorkerContainer(config: Config): DependencyContainer {
  const container = root.createChildContainer();
  container.register(MODEL_CATALOG, { useFactory: once(() => createCatalog(config)) });
  container.register(UPSCALER_CHOOSER, {
    useFactory: once((c) => new UpscalerChooser(config, c.resolve(MODEL_CATALOG))),
  });
  container.register(IMAGE_UPSCALER, {
    useFactory: once((c) => new ImageUpscaler(config, c.resolve(UPSCALER_CHOOSER), c.resolve(MODEL_CATALOG))),
  });
  container.register(HIRES_FIX_PROCESSOR, {
    useFactory: once((c) => new HiresFixProcessor(config, c.resolve(IMAGE_UPSCALER), c.resolve(FACE_RESTORER))),
  });
  container.register(MODEL_FETCHER, { useFactory: once((c) => new ModelFetcher(c.resolve(MODEL_CATALOG))) });
  container.register(FACE_RESTORER, { useFactory: once((c) => new FaceRestorer(c.resolve(MODEL_FETCHER))) });
  container.register(FACE_FINDER, {
    useFactory: once((c) => new FindFacesProcessor(config, c.resolve(FACE_RESTORER))),
  });
  container.register(FACE_PROCESSOR, {
    useFactory: once((c) => {
      const [hiresFix, faces] = [c.resolve(HIRES_FIX_PROCESSOR), c.resolve(FACE_RESTORER)];
      return new FaceProcessor(config, { hiresFix, faces, crops: new FaceCropUpscaler(c.resolve(MODEL_FETCHER)) });
    }),
  });
  container.register(MODEL_OPTIMIZER, {
    useFactory: once((c) => new ModelOptimizer(config, c.resolve(MODEL_CATALOG))),
  });
  container.register(RESTORER, { useFactory: once((c) => new RestoreProcessor(config, restoreSteps(config, c))) });
  return container;
}

function restoreSteps(config: Config, container: DependencyContainer): ImageSteps {
  const models = container.resolve(MODEL_FETCHER);
  return {
    denoise: new NetworkStep('nafnet-sidd-width64', config, models),
    deblur: new NetworkStep('nafnet-gopro-width64', config, models),
    face: new FaceRestoreStep(config, container.resolve(FACE_RESTORER)),
    colorize: new Colorizer(config, models),
  };
}
