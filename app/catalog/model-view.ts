import type { CatalogEntry } from './catalog-entry.ts';
import type { Verification } from './model-catalog.ts';

/** A model as `GET /models` and `hiresfix models list --json` show it. Null is what is not known, or does not apply. */
export interface ModelView extends Omit<CatalogEntry, 'isInstalled' | 'isVerified'> {
  readonly installed: boolean;
  /** True: downloaded and checked. False: placed by hand, and used all the same. */
  readonly verified: boolean | null;
}

/** The public form of an entry. */
export function modelView({ isInstalled, isVerified, ...entry }: CatalogEntry): ModelView {
  return { ...entry, installed: isInstalled, verified: isVerified };
}

/** The public form of what `verify` found. */
export function verificationView({ matchesPublished, setAside, ...found }: Verification) {
  return { ...found, matches_published: matchesPublished, set_aside: setAside };
}
