import { join } from 'node:path';
import type { Config } from '../config.ts';
import { UnknownModelError } from './errors.ts';
import { ModelCatalog } from './model-catalog.ts';
import { ModelIntake } from './model-intake.ts';
import { CheckpointInspector } from './inspection/checkpoint-inspector.ts';
import type { Inspect } from './inspection/remembered-inspections.ts';
import { ModelDownloader } from './download/model-downloader.ts';
import type { RemoteModel } from './remote-model.ts';

/** The catalogue of `MODELS_DIR`, as the configuration wants it. */
export function createCatalog(config: Config): ModelCatalog {
  const { modelsDir: directory, downloadSegments: segments, modelMirror: mirror } = config;
  const inspect = inspection();
  const downloader = new ModelDownloader({ directory, segments, mirror, inspect });
  return new ModelCatalog({ directory, downloader, isDownloading: config.modelDownloads, inspect });
}

/** Takes what callers send into the folder of a catalogue. */
export function createIntake({ modelsDir: directory }: Config, catalog: Pick<ModelCatalog, 'resolve'>): ModelIntake {
  const resolve = async (name: string): Promise<void> => {
    const { official, file } = await catalog.resolve(name);
    // Who has a file that the catalogue would fetch may as well bring it.
    if (file === null && official?.asked_by_name) throw new UnknownModelError(name, []);
  };
  return new ModelIntake({ directory, inspect: inspection(), resolve });
}

function inspection(): Inspect {
  const inspector = new CheckpointInspector();
  return (file) => inspector.inspect(file);
}

/**
 * The same catalogue for who only asks what would be done: it changes no file and fetches nothing. A model that would have to be
 * fetched counts as there.
 * @param onFetch told of each of these, and of the path that it would have
 */
export function createUnchangingCatalog(
  config: Config,
  onFetch: (model: RemoteModel, file: string) => void,
): ModelCatalog {
  const { modelsDir: directory, modelDownloads: isDownloading } = config;
  const download = (model: RemoteModel) => {
    const file = join(directory, model.filename);
    onFetch(model, file);
    return Promise.resolve({ file, isFetched: false, record: undefined });
  };
  return new ModelCatalog({ directory, downloader: { download }, isDownloading, isUnchanging: true });
}
