/**
 * Runs every command of the pages' shell blocks as it is written: those of a clone in a clone of what is committed, all others in a folder
 * of their page's own, with the product that the deployment page packs and installs. Only npm's own commands reach the package
 * registry; all others run in a network that has nothing but a loopback, on which a mirror of the weights, an object store and, where a
 * page speaks of one, the service answer. What says `# needs: ...` is not run and told. Needs root on Linux, git, curl, jq and
 * redis-server.
 *
 *   npm run soak:docs [-- README.md docs/using.md]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PageReader } from '../support/pages/page-reader.ts';
import { blocksOfPage, NEEDS, pagesWithCommands } from '../support/pages/shell-blocks.ts';

/** It packs and installs the product, which the others take for granted. */
const FIRST = 'docs/deployment.md';

interface Row {
  readonly where: string;
  readonly outcome: 'ran' | 'failed' | 'marked';
  readonly seconds: number;
  readonly command: string;
  /** Of a mark, or what a command that failed said last. */
  readonly why: string;
}

const asked = process.argv.slice(2);
const pages = pagesWithCommands().filter((page) => page === FIRST || asked.length === 0 || asked.includes(page));
const work = mkdtempSync(join(tmpdir(), 'hiresfix-docs-'));
const reader = await PageReader.open(work);
process.on('exit', () => {
  reader.close();
  rmSync(work, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const rows: Row[] = [];
for (const page of [FIRST, ...pages.filter((each) => each !== FIRST)]) await read(page);
const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length;
console.log(`\n${count('ran')} ran, ${count('failed')} failed, ${count('marked')} marked`);
process.exit(count('failed') > 0 ? 1 : 0);

async function read(page: string): Promise<void> {
  for (const block of blocksOfPage(page)) {
    const session = await reader.session(page, block);
    for (const { text, line, needs } of block.commands) {
      const started = performance.now();
      const failure = needs === undefined ? await session.run(text) : undefined;
      tell({
        where: `${page}:${line}`,
        outcome:
          needs === undefined ? (failure === undefined ? 'ran' : 'failed') : needs in NEEDS ? 'marked' : 'failed',
        seconds: Math.round((performance.now() - started) / 1000),
        command: text.split('\n')[0]?.replace(/\s+#.*$/, '') ?? '',
        why: failure ?? needs ?? '',
      });
    }
    await session.end();
  }
}

function tell(row: Row): void {
  rows.push(row);
  const { where, outcome, seconds, command, why } = row;
  console.log([where.padEnd(28), outcome.padEnd(6), `${seconds} s`.padStart(6), command].join('  '));
  if (why !== '') console.log(why.replaceAll(/^/gm, ' '.repeat(30)));
}
