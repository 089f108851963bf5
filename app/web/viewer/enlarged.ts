import { LanczosPicture } from './lanczos-picture.ts';
import type { Picture } from './picture.ts';
import type { SideName } from './sides.ts';
import type { Extent } from './transform.ts';

interface Held {
  readonly of: Picture;
  readonly picture: LanczosPicture;
}

const held = new Map<SideName, Held>();

/** What is painted for a side: its picture, or one that is smaller than the result at the size of that, by LANCZOS where that was chosen. */
export function enlarged(
  side: SideName,
  picture: Picture | undefined,
  { result, isLanczos }: { readonly result: Extent; readonly isLanczos: boolean },
): Picture | undefined {
  const before = held.get(side);
  const [layer, ...others] = picture?.layers() ?? [];
  const isWanted = isLanczos && picture && layer && others.length === 0 && picture.width < result.width;
  const isSame = before?.of === picture && before?.picture.width === result.width;
  if (isWanted && before && isSame) return before.picture;
  before?.picture.close();
  held.delete(side);
  if (!isWanted) return picture;
  const made = new LanczosPicture(layer.bitmap, result);
  held.set(side, { of: picture, picture: made });
  return made;
}
