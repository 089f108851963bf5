import { HiresFixError, oneLine } from '../errors.ts';
import type { RemoteModel } from './remote-model.ts';
import { unknownName } from './unknown-name.ts';

/** Why a download failed; stable, for programs. */
export type DownloadFailure =
  | 'network' // no connection, or it broke, more often than we retry
  | 'stalled' // connected, but next to nothing arrived
  | 'busy' // 429 or 503, more often or for longer than we wait
  | 'http-status' // any other status that is not a file
  | 'redirect' // a loop, or one that leads where we do not go
  | 'not-a-model' // a web page, an error message, an encoded or foreign file
  | 'bad-range' // the server answers ranges with something else
  | 'source-changed' // the file changed while it was downloaded, twice
  | 'wrong-size'
  | 'wrong-hash'
  | 'disk-full'
  | 'not-writable';

/** What is needed to say where a model can be had by hand. */
export type ModelWhereabouts = Pick<RemoteModel, 'name' | 'filename' | 'url'>;

/** A model could not be downloaded. Nothing that could be taken for the model is left; `.part` may be, and is resumed. */
export class DownloadError extends HiresFixError {
  readonly code = 'ERR_DOWNLOAD_FAILED';
  readonly fault = 'model';
  readonly model: string;
  readonly reason: DownloadFailure;
  /** For `disk-full`: the bytes that have to be freed. */
  readonly missingBytes: number | undefined;

  constructor(
    model: string,
    failure: { readonly reason: DownloadFailure; readonly detail: string; readonly missingBytes?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(`Could not download ${model}: ${failure.detail}`, options);
    this.model = model;
    this.reason = failure.reason;
    this.missingBytes = failure.missingBytes;
  }
}

/** A model is known but not installed, and cannot be fetched; the message says how to install it by hand. */
export class ModelUnavailableError extends HiresFixError {
  readonly code = 'ERR_MODEL_UNAVAILABLE';
  readonly fault = 'model';
  readonly model: string;
  readonly url: string;
  /** The folder to put the file in. */
  readonly directory: string;

  constructor(
    model: ModelWhereabouts,
    place: { readonly directory: string; readonly why: string },
    options?: ErrorOptions,
  ) {
    super(
      `The model ${model.name} is not installed: ${place.why}. ` +
        `Download ${model.url} and put it into ${place.directory} as ${model.filename}`,
      options,
    );
    this.model = model.name;
    this.url = model.url;
    this.directory = place.directory;
  }
}

/** `MODELS_DIR` cannot be read or written to, so that nothing is known of the models in it. */
export class ModelsFolderError extends HiresFixError {
  readonly code = 'ERR_MODEL_UNAVAILABLE';
  readonly fault = 'model';

  /** What is wrong, without what to do. */
  readonly problem: string;
  readonly remedy: string;

  constructor(cause: unknown) {
    const problem = `MODELS_DIR cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`;
    const remedy = 'Let the user that hiresfix runs as read that folder and write to it, or set MODELS_DIR to another';
    super(`${problem}. ${remedy}`, { cause });
    [this.problem, this.remedy] = [problem, remedy];
  }
}

/** No official model and no file in `MODELS_DIR` has that name. */
export class UnknownModelError extends HiresFixError {
  readonly code = 'ERR_UNKNOWN_MODEL';
  readonly fault = 'model';
  readonly model: string;
  readonly known: readonly string[];
  /** Why a file that lies there under that name is none, in a sentence. */
  readonly hint: string | undefined;

  constructor(model: string, known: readonly string[], hint?: string) {
    super(oneLine(`There is no model '${model.slice(0, 80)}'. ${unknownName(model, known, hint)}`));
    this.model = model;
    this.known = known;
    this.hint = hint;
  }
}

/** `models.lock.json` is not what the downloader wrote. */
export class BadModelsLockError extends HiresFixError {
  readonly code = 'ERR_BAD_MODELS_LOCK';
  readonly fault = 'service';

  /** What is wrong, without what to do. */
  readonly problem: string;
  readonly remedy: string;

  constructor(path: string, options?: ErrorOptions) {
    const problem = `${path} cannot be read as the list of downloaded models`;
    const remedy = 'Repair it, or delete it: then the models in that folder count as placed by hand';
    super(`${problem}. ${remedy}`, options);
    [this.problem, this.remedy] = [problem, remedy];
  }
}

/** Why a file in `MODELS_DIR` cannot be used, as reading it found out. */
export class InspectionError extends HiresFixError {
  readonly code = 'ERR_BAD_CHECKPOINT';
  readonly fault = 'model';
}

/** A file that was sent is not taken among the models, and why. */
export class ModelRefusedError extends HiresFixError {
  readonly code = 'ERR_MODEL_REFUSED';
  readonly fault = 'model';

  constructor(filename: string, reason: string, options?: ErrorOptions) {
    super(oneLine(`'${filename.slice(0, 120)}' is not taken: ${reason}`), options);
  }
}

/** There is a model of that name, or one that is known by it. */
export class ModelExistsError extends HiresFixError {
  readonly code = 'ERR_MODEL_EXISTS';
  readonly fault = 'model';

  constructor(filename: string) {
    super(
      `'${filename}' is the name of a model that is here or can be downloaded; nothing was replaced. Send it by another name`,
    );
  }
}
