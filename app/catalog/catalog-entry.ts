import { join } from 'node:path';
import type { PictureModel } from '../exported/picture-model.ts';
import type { ModelFile } from './model-files.ts';
import type { KnownModel } from './model-index.ts';
import type { LockedModel } from './models-lock-file.ts';
import type { DownloadProgress } from './download/progress-meter.ts';
import type { RemoteModel } from './remote-model.ts';

/** What a file says of its network. */
export interface InspectedModel {
  readonly architecture: string;
  readonly scale: number;
  readonly inputChannels: number;
  /** Null where the answer is no picture. */
  readonly outputChannels: number | null;
  /** Of an ONNX file: how it is run. */
  readonly onnx?: PictureModel | undefined;
}

/** A line of the list of models. Null is what is not known, or does not apply. */
export interface CatalogEntry {
  readonly name: string;
  readonly kind: KnownModel['kind'];
  readonly filename: string;
  /** The path of the file that serves; null where none is installed. */
  readonly file: string | null;
  /** Whether there is a file that can be used; `problem` says why not. */
  readonly isInstalled: boolean;
  /** In bytes: of the file, else of the download. */
  readonly size: number | null;
  readonly scale: number | null;
  /** The family of its network; `ONNX` of such a file. */
  readonly architecture: string | null;
  readonly inputChannels: number | null;
  /** Null too where the answer is no picture. */
  readonly outputChannels: number | null;
  readonly licence: string | null;
  /** Whether the licence keeps it from commercial use. */
  readonly isNonCommercial: boolean | null;
  /** Whether it is an upscaler that is asked for by this name, having no `UpscalerType`. */
  readonly isAskedByName: boolean;
  readonly purpose: string | null;
  readonly url: string | null;
  /** The hash that it is held to: the published one, or the one of the first download. */
  readonly sha256: string | null;
  /**
   * True: the downloader wrote it, checked. False: placed by hand. Null: not installed, part of the package, or changed
   * since it was written (`ModelCatalog.verify` tells).
   */
  readonly isVerified: boolean | null;
  /** Why the file cannot be used. */
  readonly problem: string | null;
  /** Of the download that some process runs at the moment. */
  readonly download: DownloadProgress | null;
}

/** How far the file of a model is to be trusted; `changed`: since it was downloaded. */
export type ModelState = 'missing' | 'unusable' | 'bundled' | 'verified' | 'by hand' | 'changed';

/** How far the file of an entry is to be trusted; `unusable`: there is a file, but no network that is run in it. */
export function modelState({ kind, file, isInstalled, isVerified }: CatalogEntry): ModelState {
  if (!isInstalled) return file === null ? 'missing' : 'unusable';
  if (kind === 'bundled') return 'bundled';
  if (isVerified === null) return 'changed';
  return isVerified ? 'verified' : 'by hand';
}

/** What is found out about a model by looking at the disk. */
export interface ModelFindings {
  readonly record: LockedModel | undefined;
  readonly inspected: InspectedModel | Error | undefined;
  readonly download: DownloadProgress | null;
  /** The official model that a file of the user's is by another name. */
  readonly twin?: RemoteModel | undefined;
}

/** Puts together what is known of a model: from the catalogue, from its file and from what the downloader recorded. */
export function describeModel(model: KnownModel, { record, inspected, download, twin }: ModelFindings): CatalogEntry {
  const { file } = model;
  const published = { ...publishedFacts(model), ...(twin && { licence: twin.licence, purpose: twin.purpose }) };
  const found = inspected instanceof Error ? undefined : inspected;
  return {
    ...published,
    name: model.name,
    kind: model.kind,
    file: file?.path ?? null,
    isInstalled: file !== undefined && !(inspected instanceof Error),
    size: file?.size ?? published.size,
    scale: found?.scale ?? published.scale,
    architecture: found?.architecture ?? published.architecture,
    isNonCommercial: published.licence === null ? null : NON_COMMERCIAL.test(published.licence),
    isAskedByName: model.kind === 'user' ? found !== undefined : published.isAskedByName,
    inputChannels: found?.inputChannels ?? null,
    outputChannels: found?.outputChannels ?? null,
    sha256: published.sha256 ?? record?.sha256 ?? null,
    isVerified: verificationOf(model, record),
    problem: inspected instanceof Error ? inspected.message : null,
    download,
  };
}

/** The downloader's record of a file: only files in the folder itself, under the name that it gave them, have one. */
export function recordOf(
  file: ModelFile | undefined,
  directory: string,
  records: ReadonlyMap<string, LockedModel>,
): LockedModel | undefined {
  return file?.path === join(directory, file?.relativePath ?? '') ? records.get(file.relativePath) : undefined;
}

/** Creative Commons writes it as two letters. */
const NON_COMMERCIAL = /non-?commercial|\bNC\b/i;

type PublishedFacts = Pick<
  CatalogEntry,
  'filename' | 'size' | 'scale' | 'architecture' | 'licence' | 'purpose' | 'url' | 'sha256' | 'isAskedByName'
>;

function publishedFacts(model: KnownModel): PublishedFacts {
  const nothing = {
    size: null,
    scale: null,
    architecture: null,
    licence: null,
    purpose: null,
    url: null,
    sha256: null,
  };
  const unknown = { ...nothing, isAskedByName: false };
  if (model.kind === 'user') return { ...unknown, filename: model.file.relativePath };
  if (model.kind === 'bundled') {
    const { filename, scale, licence, purpose } = model.bundled;
    return { ...unknown, filename, scale, licence, purpose };
  }
  const { filename, size, scale, licence, purpose, url, sha256, architecture = null } = model.official;
  const isAskedByName = model.official.asked_by_name === true;
  return { filename, size, scale, architecture, licence, purpose, url, sha256, isAskedByName };
}

function verificationOf({ kind, file }: KnownModel, record: LockedModel | undefined): boolean | null {
  if (!file || kind === 'bundled') return null;
  if (!record) return false;
  return file.size === record.size && file.mtimeMs === record.mtime_ms ? true : null;
}
