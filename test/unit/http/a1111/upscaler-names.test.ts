import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ModelDownloader } from '../../../../app/catalog/download/model-downloader.ts';
import { ModelCatalog } from '../../../../app/catalog/model-catalog.ts';
import { offeredUpscalers } from '../../../../app/http/a1111/upscaler-names.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe('offeredUpscalers', () => {
  it('has those of the catalogue that are asked for by their names where their files are there', async () => {
    const directory = folder.path;
    const downloader = new ModelDownloader({ directory });
    const inspect = () => ({ architecture: 'SPAN', scale: 4, inputChannels: 3, outputChannels: 3 });
    const catalog = new ModelCatalog({ directory, downloader, isDownloading: true, inspect });
    for (const name of ['4xPurePhoto-span.pth', 'mine.pth', 'codeformer.pth'])
      await writeFile(join(directory, name), '');
    const offered = await offeredUpscalers(catalog, { modelDownloads: false });
    expect(offered.map(({ name }) => name)).toEqual([
      'None',
      'Lanczos',
      'Nearest',
      'Bilinear',
      'Bicubic',
      'Compact 2x',
      '4xPurePhoto-span',
      'mine',
      'AUTO',
    ]);
  });
});
