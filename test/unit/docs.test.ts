import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { globSync } from 'tinyglobby';
import { NETWORK_UPSCALERS } from '../../app/processing/upscale/upscalers.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', 'models/README.md', 'integrations/**/*.md', 'training/README.md'], {
  cwd: ROOT,
  ignore: ['**/node_modules/**'],
});
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

describe('the pages', () => {
  it.each(PAGES)('%s: what it links to is there, to the heading', (page) => {
    const broken = linksOf(textOf(page)).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('are whole: none has the two sides of a merge in it', () => {
    expect(PAGES.filter((page) => /^(<{7}|={7}|>{7})(?: |$)/m.test(textOf(page)))).toEqual([]);
  });

  it('name upscalers that there are, where they write them as the service does', () => {
    const named = PAGES.flatMap(
      (page) => textOf(page).match(/\b(?:REALESRGAN|REALESRNET|REALESR|COMPACT)_[A-Z0-9_]+/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(20);
    expect([...new Set(named)].filter((name) => !NETWORK_UPSCALERS.has(name))).toEqual([]);
  });

  it('name scripts of npm that there are', () => {
    const named = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/(?:`|^|&& )npm run ([\w:-]+)/gm)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Targets of links and pictures that lie in the repository; what stands in code is none. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
