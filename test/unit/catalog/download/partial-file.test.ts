import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PartialFile } from '../../../../app/catalog/download/partial-file.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

it('goes on with another mirror while what the last one gave is being made durable', async () => {
  const folder = await temporaryFolder();
  const part = await PartialFile.open(join(folder.path, 'a.part'), { everyMs: 0, everyBytes: 1 });
  const total = 300;
  for (let chunk = 0; chunk < total; chunk++) {
    await part.begin({ url: `https://mirror-${chunk % 2}.example/a.pth`, validator: '"1"', total }, true);
    await part.write(Uint8Array.of(chunk % 256), chunk); // begins to save, in the background
  }
  await part.leave();
  expect(part.missing()).toEqual([]);
  expect([...(await readFile(part.path))]).toEqual(Array.from({ length: total }, (_, chunk) => chunk % 256));
  await folder.remove();
});
