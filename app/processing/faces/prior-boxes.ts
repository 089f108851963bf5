import { RETINAFACE_LEVELS } from '../../architectures/faces/retinaface.ts';

/**
 * The boxes about which RetinaFace speaks, in the order of its answer: level by level, cell by cell in rows, the smaller box
 * first. Four numbers each: centre x and y, width and height, as fractions of the picture's width and height.
 */
export function priorBoxes(width: number, height: number): Float32Array {
  const levels = RETINAFACE_LEVELS.map(({ minSizes, step }) => {
    return { minSizes, step, rows: Math.ceil(height / step), columns: Math.ceil(width / step) };
  });
  const count = levels.reduce((sum, { rows, columns, minSizes }) => sum + rows * columns * minSizes.length, 0);
  const boxes = new Float32Array(count * 4);
  let at = 0;
  for (const { minSizes, step, rows, columns } of levels) {
    for (let cell = 0; cell < rows * columns; cell++) {
      const centreX = (((cell % columns) + 0.5) * step) / width;
      const centreY = ((Math.floor(cell / columns) + 0.5) * step) / height;
      for (const size of minSizes) {
        boxes.set([centreX, centreY, size / width, size / height], at);
        at += 4;
      }
    }
  }
  return boxes;
}
