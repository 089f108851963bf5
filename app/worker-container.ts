import { createCatalog } from './catalog/create-catalog.ts';
import type { Config } from './config.ts';
import { downloadModel } from './processing/download-model.ts';
import { ExtrasProcessor } from './processing/extras-processor.ts';
import { FaceCropUpscaler } from './processing/faces/face-crop-upscaler.ts';
import { FaceProcessor } from './processing/face-processor.ts';
import { FaceRestorer } from './processing/faces/face-restorer.ts';
import { FindFacesProcessor } from './processing/find-faces-processor.ts';
import { ModelOptimizer } from './processing/int8/model-optimizer.ts';
import { ModelSlot } from './processing/networks/model-slot.ts';
import { ModelFetcher } from './processing/networks/model-fetcher.ts';
import { runNetwork } from './processing/networks/run-network.ts';
import { PreviewProcessor } from './processing/preview-processor.ts';
import { restoreSteps } from './processing/restore/restore-steps.ts';
import { RestoreProcessor } from './processing/restore-processor.ts';
import { HiresFixProcessor } from './processing/hires-fix-processor.ts';
import { ImageUpscaler } from './processing/upscale/image-upscaler.ts';
import { PictureCleaner } from './processing/restore/picture-cleaner.ts';
import { UpscalerChooser } from './processing/upscale/upscaler-choice.ts';
import type { Processors } from './worker/processors.ts';

/**
 * The composition root of a worker process: what works on pixels, for one task. That of the server is container.ts.
 * @param slot where the network of an upscale or of a restoration's step is, which may be there from the task before
 */
export function createProcessors(config: Config, slot = new ModelSlot()): Processors {
  const catalog = createCatalog(config);
  const models = new ModelFetcher(catalog);
  const faces = new FaceRestorer(models);
  const upscaler = new ImageUpscaler(config, { chooser: new UpscalerChooser(config, catalog), catalog, slot });
  const parts = { upscaler, cleaner: new PictureCleaner(config, models), faces };
  const hiresFix = new HiresFixProcessor(config, parts);
  const extras = new ExtrasProcessor(config, parts);
  const face = new FaceProcessor(config, { hiresFix, faces, crops: new FaceCropUpscaler(models) });
  const findFaces = new FindFacesProcessor(config, faces);
  const restore = new RestoreProcessor(config, restoreSteps(config, models, faces), slot);
  const preview = new PreviewProcessor(config, upscaler);
  const optimizer = new ModelOptimizer(config, catalog);
  return {
    'hires-fix': (task, run) => hiresFix.process(task, run),
    preview: (task, run) => preview.process(task, run),
    extras: (task, run) => extras.process(task, run),
    face: (task, run) => face.process(task, run),
    'find-faces': (task, run) => findFaces.process(task, run),
    restore: (task, run) => restore.process(task, run),
    download: (task, { hooks }) => downloadModel(task, catalog, hooks),
    'run-network': (task) => runNetwork(task, 'cpu'),
    'optimize-model': (task, { hooks }) => optimizer.optimize(task, hooks),
  };
}
