import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { environment } from '../../app/options/environment.ts';
import { CONFIGURATION_PAGE, configurationPage } from '../support/pages/configuration-page.ts';

it('docs/configuration.md is what `npm run docs:configuration` writes, with every variable once', () => {
  const written = readFileSync(CONFIGURATION_PAGE, 'utf8');
  const plain = (text: string): string =>
    text
      .replaceAll(/-+/g, '-')
      .replaceAll(/ *\| */g, '|')
      .replaceAll(/\s+/g, ' ')
      .trim();
  expect(plain(written)).toBe(plain(configurationPage()));
  const named = [...written.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(Object.keys(environment.shape).sort());
});
