import type { FaceView } from '../../processing/find-faces-processor.ts';

const HEADINGS = ['number', 'score', 'size', 'box', 'left eye', 'right eye', 'nose', 'mouth'] as const;

/**
 * The faces of a picture, a line each below a line of headings: the number that `hiresfix face --faces` takes, how sure the
 * detector is (0 to 1), the shorter side of the box, the box (left,top right,bottom) and the landmarks, in whole pixels. The
 * mouth is its left and its right corner.
 */
export function facesTable(faces: readonly FaceView[]): string {
  const rows = [HEADINGS, ...faces.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n');
}

function cellsOf({ index, box, landmarks, score, size }: FaceView): readonly string[] {
  const [leftEye, rightEye, nose, ...mouth] = landmarks.map(pointOf);
  const corners = [box.slice(0, 2), box.slice(2, 4)].map(pointOf).join(' ');
  const points = [leftEye ?? '', rightEye ?? '', nose ?? '', mouth.join(' ')];
  return [String(index), score.toFixed(4), String(Math.round(size)), corners, ...points];
}

function pointOf(point: readonly number[]): string {
  return point.map((value) => Math.round(value)).join(',');
}
