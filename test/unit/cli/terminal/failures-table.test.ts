import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { failuresTable } from '../../../../app/cli/terminal/failures-table.ts';

it('lists each failed file in columns, by its name from here, and why in one line without the name', () => {
  const here = join(process.cwd(), 'in/a.png');
  const failures = [
    { name: here, code: 'ERR_BAD_IMAGE', message: `${here}: expected JPEG,\n  got a text file` },
    { name: '/far/long-name.png', code: 'ERR_X', message: 'other' },
  ];
  expect(failuresTable(failures)).toBe(
    [
      'failed              code           why',
      'in/a.png            ERR_BAD_IMAGE  expected JPEG, got a text file',
      '/far/long-name.png  ERR_X          other',
    ].join('\n'),
  );
});
