import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { MODELS_PAGE, modelsPage } from '../../support/pages/models-page.ts';

/** A table's columns are as wide as the formatter likes. */
const plain = (page: string): string =>
  page.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---').replaceAll(/[*_]/g, '_');

it('The page of recognised networks says what the registry has (npm run docs:models writes it)', () => {
  expect(plain(readFileSync(MODELS_PAGE, 'utf8'))).toBe(plain(modelsPage()));
});
