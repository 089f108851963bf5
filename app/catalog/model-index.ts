import { extname } from 'node:path';
import { isOnnxName } from '../exported/picture-model.ts';
import type { ModelFile } from './model-files.ts';
import { stemOf } from './model-files.ts';
import type { RemoteModel } from './remote-model.ts';

/** A model of the package itself: not downloaded, and read from the package's own `models/` wherever `MODELS_DIR` is. */
export interface BundledModel {
  readonly name: string;
  readonly filename: string;
  readonly scale: number;
  readonly licence: string;
  readonly purpose: string;
}

export const BUNDLED_MODELS: readonly BundledModel[] = [
  {
    name: 'compact-x2',
    filename: 'compact-x2.safetensors',
    scale: 2,
    licence: 'MIT',
    purpose: 'Photos, 2x: small, fast, always there',
  },
];

/** One model that a name can stand for. */
export type KnownModel =
  | {
      readonly kind: 'official';
      readonly name: string;
      readonly official: RemoteModel;
      readonly file: ModelFile | undefined;
    }
  | {
      readonly kind: 'bundled';
      readonly name: string;
      readonly bundled: BundledModel;
      readonly file: ModelFile | undefined;
    }
  | { readonly kind: 'user'; readonly name: string; readonly file: ModelFile };

/** What the names of models mean, given the files that are there. */
export class ModelIndex {
  /** Official models, then bundled ones, then the user's own. */
  readonly models: readonly KnownModel[];
  readonly #files: readonly ModelFile[];

  /** `files` are those of `MODELS_DIR`, as `findModelFiles` sorts them; `bundledFiles` those of the package. */
  constructor(official: readonly RemoteModel[], files: readonly ModelFile[], bundledFiles: readonly ModelFile[]) {
    this.#files = files;
    const stems = new Set([...official, ...BUNDLED_MODELS].map(({ filename }) => stemOf(filename)));
    const own = files.filter((file) => !stems.has(file.stem) || isOnnxName(file.path));
    this.models = [
      ...official.map((model): KnownModel => ({
        kind: 'official',
        name: model.name,
        official: model,
        file: pick(model.filename, files),
      })),
      ...BUNDLED_MODELS.map((model): KnownModel => ({
        kind: 'bundled',
        name: model.name,
        bundled: model,
        file: pick(model.filename, bundledFiles),
      })),
      ...own.map((file, index): KnownModel => ({ kind: 'user', name: nameOf(file, own.slice(0, index), stems), file })),
    ];
  }

  /**
   * What a name stands for: a file name or path below `MODELS_DIR` first (accents in either form of Unicode), then a stem as it is written, then an official
   * name in any spelling (`realesrgan-x4plus`, `REALESRGAN_X4PLUS`, `RealESRGAN_x4plus`), then a stem in any case.
   */
  find(asked: string): KnownModel | undefined {
    const name = asked.normalize();
    const file = this.#files.find(({ relativePath }) => `/${relativePath.normalize()}`.endsWith(`/${name}`));
    if (file && extname(name) !== '') return this.#modelOf(file);
    const below = name.includes('/') && this.#files.find((one) => stemOf(one.relativePath).normalize() === name);
    if (below) return this.#modelOf(below);
    return (
      this.models.find((model) => [stemOf(filenameOf(model)), model.name].some((one) => one.normalize() === name)) ??
      this.models.find((model) => model.kind !== 'user' && spellings(model).includes(spellingKey(name))) ??
      this.models.find((model) => model.name.normalize().toLowerCase() === stemOf(name).toLowerCase())
    );
  }

  /** A file that was named itself: also one that another of the same stem stands before. */
  #modelOf(file: ModelFile): KnownModel {
    const isOfStem = (one: KnownModel) => stemOf(filenameOf(one)) === file.stem && one.kind !== 'bundled';
    const model = this.models.find((one) => (isOnnxName(file.path) ? one.file === file : isOfStem(one)));
    return model ? { ...model, file } : { kind: 'user', name: file.stem, file };
  }
}

function filenameOf(model: KnownModel): string {
  if (model.kind === 'official') return model.official.filename;
  return model.kind === 'bundled' ? model.bundled.filename : `${model.file.stem}${extname(model.file.path)}`;
}

/** The file that serves for an official one: that of its very name, else any checkpoint of the same stem. What was exported is another. */
function pick(filename: string, files: readonly ModelFile[]): ModelFile | undefined {
  const sameStem = files.filter((file) => file.stem === stemOf(filename) && !isOnnxName(file.path));
  return sameStem.find((file) => file.path.endsWith(filename)) ?? sameStem[0];
}

/** The stem, or the whole path where another file or an official model has taken the stem. */
function nameOf(file: ModelFile, earlier: readonly ModelFile[], taken: ReadonlySet<string>): string {
  const isTaken = taken.has(file.stem) || earlier.some((one) => one.stem === file.stem);
  return isTaken ? file.relativePath : file.stem;
}

function spellings(model: KnownModel): readonly string[] {
  return [spellingKey(model.name), spellingKey(stemOf(filenameOf(model)))];
}

/** What the spellings of one name have in common: its letters and digits. */
export function spellingKey(name: string): string {
  return stemOf(name)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}
