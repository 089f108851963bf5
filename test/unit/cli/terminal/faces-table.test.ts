import { expect, it } from '@jest/globals';
import { facesTable } from '../../../../app/cli/terminal/faces-table.ts';

it('lists faces by the number that chooses them, in columns', () => {
  const landmarks = [[379.2, 186.6], [405, 241], [371, 209], [392, 227], [394, 173]]; // prettier-ignore
  const faces = [
    { index: 0, box: [145.1, -22.4, 626, 382], landmarks, score: 0.95567, size: 404.49 },
    { index: 10, box: [1, 2, 31, 42], landmarks: landmarks.map(() => [1, 2]), score: 1, size: 30 },
  ];
  expect(facesTable(faces).split('\n')).toEqual([
    'number   score  size              box  left eye  right eye     nose            mouth',
    '     0  0.9557   404  145,-22 626,382   379,187    405,241  371,209  392,227 394,173',
    '    10  1.0000    30        1,2 31,42       1,2        1,2      1,2          1,2 1,2',
  ]);
});
