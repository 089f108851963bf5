import type { Value } from '../onnx/value.ts';

/** What stands beyond the right and the bottom edge. */
export type Padding = 'mirrored' | 'zeros' | 'edge' | 'own';

/** `image` with rows and columns added until both sides are a multiple; `own` leaves it to the network. */
export function padToMultiple(image: Value, multipleOf: number, padding: Padding): Value {
  if (padding === 'own') return image;
  const toMultiple = (axis: 2 | 3) => Math.ceil(image.size(axis) / multipleOf) * multipleOf;
  const [height, width] = [toMultiple(2), toMultiple(3)];
  if (padding === 'mirrored') return padMirrored(image, height, width);
  const sides = [0, 0, height - image.size(2), width - image.size(3)] as const;
  return image.pad(sides, padding === 'zeros' ? 'constant' : 'edge');
}

/**
 * `image` grown at the right and the bottom to `height` x `width`, mirrored about the last pixel up to side - 1, then with
 * copies of the edge, as spandrel does for sizes that a network does not take.
 */
export function padMirrored(image: Value, height: number, width: number): Value {
  const [missingH, missingW] = [Math.max(0, height - image.size(2)), Math.max(0, width - image.size(3))];
  const reflectH = Math.min(missingH, image.size(2) - 1);
  const reflectW = Math.min(missingW, image.size(3) - 1);
  return image.pad([0, 0, reflectH, reflectW], 'reflect').pad([0, 0, missingH - reflectH, missingW - reflectW], 'edge');
}

/** `image` grown at the right and the bottom to `height` x `width` as if mirrors stood at its edges, so that the edge counts twice. */
export function padSymmetric(image: Value, height: number, width: number): Value {
  const grown = (x: Value, axis: 2 | 3, side: number): Value => {
    const size = x.size(axis);
    if (side === size) return x;
    const period = Array.from({ length: side }, (_, index) => index % (2 * size));
    return x.gather(
      axis,
      period.map((place) => (place < size ? place : 2 * size - 1 - place)),
    );
  };
  return grown(grown(image, 2, height), 3, width);
}

/** The first `height` x `width` pixels. */
export function cropTo(image: Value, height: number, width: number): Value {
  const rows = image.size(2) === height ? image : image.slice(2, 0, height);
  return rows.size(3) === width ? rows : rows.slice(3, 0, width);
}

/** Without `border` pixels on every side. */
export function cropBorder(image: Value, border: number): Value {
  return image.slice(2, border, image.size(2) - border).slice(3, border, image.size(3) - border);
}
