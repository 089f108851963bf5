/**
 * Names under which programs send fields that have another name here, by the field that they stand for. One of them stands for
 * a field where a route has that field and no other of the same row: `upscale_factor` is `scale` in a form, and itself in
 * `HiresFixConfig`.
 */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  upscaler: ['model', 'model_name'],
  scale: ['outscale', 'upscale_factor', 'scale_factor'],
  tile: ['tile_size'],
};

const ROWS = Object.entries(OTHER_NAMES).map(([name, others]) => [name, ...others]);

/** Names that the part of a form may have which holds an image; the first is the one that the documents use. */
export const IMAGE_PARTS = ['file', 'files', 'files[]', 'image', 'images', 'image[]'] as const;

/**
 * Which other names a form of some fields takes.
 * @param has whether the form has a field of that name
 * @returns the field of the form by each name that stands for it
 */
export function otherNames(has: (name: string) => boolean): ReadonlyMap<string, string> {
  return new Map(
    ROWS.flatMap((row) => {
      const field = row.find(has);
      return field === undefined ? [] : row.filter((name) => !has(name)).map((name) => [name, field] as const);
    }),
  );
}
