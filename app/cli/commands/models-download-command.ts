import type { Command } from 'commander';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Verification } from '../../catalog/model-catalog.ts';
import { verificationView } from '../../catalog/model-view.ts';
import type { Config } from '../../config.ts';
import { printable } from '../../errors.ts';
import { DownloadBar } from '../terminal/download-bar.ts';
import { VerificationFailedError } from '../errors.ts';

/** Adds `hiresfix models download` and `verify` to the models command. */
export function addDownloadCommands(models: Command, loadConfig: () => Config): void {
  models
    .command('download')
    .description('Download official models into MODELS_DIR; installed ones are left alone')
    .argument('<name...>', 'model names from `models list`')
    .option('--json', 'print one JSON document on stdout')
    .action(async (names: string[], { json }: { readonly json?: boolean }) => {
      await download(names, loadConfig(), json === true);
    });
  models
    .command('verify')
    .description('Check the hashes of installed models; corrupt downloads are set aside')
    .argument('[name...]', 'model names; by default all that are installed')
    .option('--json', 'print one JSON document on stdout')
    .action(async (names: string[], { json }: { readonly json?: boolean }) => {
      const found = await createCatalog(loadConfig()).verify(names.length > 0 ? names : undefined);
      const text = () => found.map(describe).join('\n');
      process.stdout.write(`${json === true ? JSON.stringify(found.map(verificationView), null, 2) : text()}\n`);
      const corrupt = found.filter(({ state }) => state !== 'verified' && state !== 'unrecorded').length;
      if (corrupt > 0) throw new VerificationFailedError(`${corrupt} of ${found.length} models cannot be used`);
    });
}

async function download(names: readonly string[], config: Config, isJson: boolean): Promise<void> {
  const catalog = createCatalog(config);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const done: { name: string; file: string; fetched: boolean; sha256: string | null }[] = [];
  for (const name of names) {
    const bar = new DownloadBar(name, !isJson);
    try {
      const { file, isFetched, record } = await catalog.download(name, {
        signal: interrupt.signal,
        onProgress: (progress) => bar.update(progress),
      });
      done.push({ name, file, fetched: isFetched, sha256: record?.sha256 ?? null });
      bar.stop();
      if (isJson) continue;
      const learnt = record?.sha256_from === 'first-download' ? '; its hash is not published and was pinned now' : '';
      process.stdout.write(`${file}  ${isFetched ? `downloaded${learnt}` : 'is there already'}\n`);
    } finally {
      bar.stop();
    }
  }
  if (isJson) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
}

const STATES: Readonly<Record<Verification['state'], string>> = {
  verified: 'as it was downloaded',
  unrecorded: 'placed by hand',
  corrupt: 'CORRUPT',
  missing: 'MISSING',
  unreadable: 'CANNOT BE READ',
};

function describe({ name, kind, state, matchesPublished, setAside, sha256 }: Verification): string {
  const published =
    matchesPublished === null ? '' : `, ${matchesPublished ? 'equals' : 'DIFFERS FROM'} the published hash`;
  const moved = setAside === null ? '' : `, set aside as ${setAside}`;
  return `${printable(name).padEnd(26)} ${kind === 'bundled' ? 'part of the package' : STATES[state]}${published}${moved}  ${sha256 ?? ''}`.trimEnd();
}
