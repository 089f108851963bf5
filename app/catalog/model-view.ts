import type { CatalogEntry } from './catalog-entry.ts';
import type { Verification } from './model-catalog.ts';

/** A model as `GET /models` and `hiresfix models list --json` show it. Null is what is not known, or does not apply. */
export interface ModelView extends Omit<
  CatalogEntry,
  'isInstalled' | 'isVerified' | 'download' | 'inputChannels' | 'outputChannels' | 'isNonCommercial' | 'isAskedByName'
> {
  readonly input_channels: number | null;
  readonly output_channels: number | null;
  /** Whether the licence keeps it from commercial use. */
  readonly non_commercial: boolean | null;
  /** An upscaler that is asked for by this name: it has none of the service's own. */
  readonly asked_by_name: boolean;
  readonly installed: boolean;
  /** True: downloaded and checked. False: placed by hand, and used all the same. */
  readonly verified: boolean | null;
  /** While some process downloads it. */
  readonly downloading: { readonly downloaded_bytes: number; readonly total_bytes: number | null } | null;
}

/** The public form of an entry. */
export function modelView(described: CatalogEntry): ModelView {
  const { isInstalled, isVerified, download, inputChannels, outputChannels, isNonCommercial, isAskedByName, ...entry } =
    described;
  const downloading = download && { downloaded_bytes: download.downloadedBytes, total_bytes: download.totalBytes };
  const channels = { input_channels: inputChannels, output_channels: outputChannels };
  const marks = { non_commercial: isNonCommercial, asked_by_name: isAskedByName };
  return { ...entry, ...channels, ...marks, installed: isInstalled, verified: isVerified, downloading };
}

/** The public form of what `verify` found. */
export function verificationView({ matchesPublished, setAside, ...found }: Verification) {
  return { ...found, matches_published: matchesPublished, set_aside: setAside };
}
