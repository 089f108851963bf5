import type { CatalogEntry } from './catalog-entry.ts';
import type { Verification } from './model-catalog.ts';

/** A model as `GET /models` and `hiresfix models list --json` show it. Null is what is not known, or does not apply. */
export interface ModelView extends Omit<
  CatalogEntry,
  'isInstalled' | 'isVerified' | 'download' | 'inputChannels' | 'outputChannels'
> {
  readonly input_channels: number | null;
  readonly output_channels: number | null;
  readonly installed: boolean;
  /** True: downloaded and checked. False: placed by hand, and used all the same. */
  readonly verified: boolean | null;
  /** While some process downloads it. */
  readonly downloading: { readonly downloaded_bytes: number; readonly total_bytes: number | null } | null;
}

/** The public form of an entry. */
export function modelView(described: CatalogEntry): ModelView {
  const { isInstalled, isVerified, download, inputChannels, outputChannels, ...entry } = described;
  const downloading = download && { downloaded_bytes: download.downloadedBytes, total_bytes: download.totalBytes };
  const channels = { input_channels: inputChannels, output_channels: outputChannels };
  return { ...entry, ...channels, installed: isInstalled, verified: isVerified, downloading };
}

/** The public form of what `verify` found. */
export function verificationView({ matchesPublished, setAside, ...found }: Verification) {
  return { ...found, matches_published: matchesPublished, set_aside: setAside };
}
