import type { Config } from '../config.ts';
import { ModelCatalog } from './model-catalog.ts';
import { CheckpointInspector } from './inspection/checkpoint-inspector.ts';
import { ModelDownloader } from './download/model-downloader.ts';

/** The catalogue of `MODELS_DIR`, as the configuration wants it. */
export function createCatalog(config: Config): ModelCatalog {
  const { modelsDir: directory, downloadSegments: segments, modelMirror: mirror } = config;
  const downloader = new ModelDownloader({ directory, segments, mirror });
  const inspector = new CheckpointInspector();
  const inspect = (file: string) => inspector.inspect(file);
  return new ModelCatalog({ directory, downloader, isDownloading: config.modelDownloads, inspect });
}
