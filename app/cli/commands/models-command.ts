import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { CatalogEntry } from '../../catalog/catalog-entry.ts';
import { modelState } from '../../catalog/catalog-entry.ts';
import { createCatalog, createUnchangingCatalog } from '../../catalog/create-catalog.ts';
import { megabytes } from '../../catalog/download/disk-space.ts';
import { UnknownModelError } from '../../catalog/errors.ts';
import { modelView } from '../../catalog/model-view.ts';
import type { DownloadProgress } from '../../catalog/download/progress-meter.ts';
import type { Config } from '../../config.ts';
import { printable } from '../../errors.ts';
import { inspectModel } from '../../processing/networks/inspect-model.ts';
import { errorCode } from '../../files/error-code.ts';
import { WorkerPool } from '../../worker/worker-pool.ts';
import { UsageError } from '../errors.ts';
import { interruptible } from '../interruption.ts';
import { addDownloadCommands } from './models-download-command.ts';
import { addOptimizeCommand } from './models-optimize-command.ts';

/** Adds `hiresfix models ...` to the program. */
export function addModelsCommand(program: Command, loadConfig: () => Config): void {
  const models = program.command('models').description('List, download, verify, optimize and inspect models');
  models
    .command('list')
    .description('List official models and those in MODELS_DIR; a star marks installed ones')
    .option('--json', 'print one JSON document on stdout')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const entries = await createCatalog(loadConfig()).list();
      print(json === true, entries.map(modelView), () => entries.map(describe).join('\n'));
    });
  addDownloadCommands(models, loadConfig);
  addOptimizeCommand(models, loadConfig);
  models
    .command('inspect')
    .description('Show which network a file or an installed model holds')
    .argument('<model>', 'a .pth, .safetensors or .onnx file, or a name from `models list`')
    .option('--json', 'print one JSON document on stdout')
    .action(async (model: string, { json }: { readonly json?: boolean }) => {
      const found = await inspectModel((await installed(model, loadConfig)) ?? (await existing(model)));
      print(json === true, found, () =>
        Object.entries(found)
          .map(([name, value]) => `${name.padEnd(16)} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join('\n'),
      );
    });
  models
    .command('run')
    .description('Run the bare network of a checkpoint on a tensor, to compare it with the reference')
    .argument('<file>', 'a .pth or .safetensors file')
    .requiredOption('--input <file>', '.safetensors file with the float32 tensor `input`, [N, C, H, W]')
    .requiredOption('--output <file>', '.safetensors file to write')
    .action(async (file: string, flags: { readonly input: string; readonly output: string }) => {
      const [checkpoint, input] = [await existing(file), await existing(flags.input)];
      const pool = new WorkerPool(loadConfig(), { isBackground: false });
      try {
        const task = { kind: 'run-network', checkpoint, input, output: resolve(flags.output) } as const;
        await interruptible((signal) => pool.run(task, { signal }));
      } finally {
        await pool.close();
      }
    });
}

/** The file of a model, where it is named and no file of that name lies here. @throws UnknownModelError; UsageError */
async function installed(name: string, loadConfig: () => Config): Promise<string | undefined> {
  const isPath = /[\\/]/.test(name) || (await stat(name).catch(() => undefined)) !== undefined;
  if (isPath) return undefined;
  const catalog = createUnchangingCatalog(loadConfig(), () => undefined);
  const model = await catalog.resolve(name).catch((error: unknown) => {
    if (error instanceof UnknownModelError && extname(name) !== '') return undefined; // it was meant as a file
    throw error;
  });
  if (model === undefined) return undefined;
  if (model.file !== null) return model.file;
  throw new UsageError(`${model.name} is not installed; hiresfix models download ${model.name} fetches it`);
}

async function existing(file: string): Promise<string> {
  const path = resolve(file);
  const there = await stat(path).catch((error: unknown) => {
    const isForbidden = ['EACCES', 'EPERM'].includes(errorCode(error) ?? '');
    throw new UsageError(`${file}: ${isForbidden ? 'its folder may not be read' : 'there is no such file'}`);
  });
  if (there.isDirectory()) throw new UsageError(`${file}: expected a file, got a folder`);
  return path;
}

function print(isJson: boolean, document: unknown, text: () => string): void {
  process.stdout.write(`${isJson ? JSON.stringify(document, null, 2) : text()}\n`);
}

function describe(entry: CatalogEntry): string {
  const { name, isInstalled, size, scale, licence, isNonCommercial, problem } = entry;
  const terms = isNonCommercial && !/commercial/i.test(licence ?? '') ? `${licence}, non-commercial` : licence;
  const columns = [
    (isInstalled ? '* ' : '  ') + printable(name).padEnd(26),
    (scale === null ? '' : `${scale}x`).padEnd(3),
    (size === null ? '' : megabytes(size)).padStart(9),
    stateOf(entry).padEnd(8),
    problem ?? goodFor(entry),
    terms === null ? '' : `[${terms}]`,
  ];
  return columns.join(' ').trimEnd();
}

/** What it is good for, where that is known, and of what family it is; channels where they are not those of most. */
function goodFor({ purpose, architecture, inputChannels, outputChannels }: CatalogEntry): string {
  const isUsual = inputChannels === null || (inputChannels === 3 && (outputChannels ?? 3) === 3);
  const family = isUsual ? architecture : `${architecture}, channels ${inputChannels} to ${outputChannels ?? 'none'}`;
  if (purpose === null || family === null) return purpose ?? family ?? '';
  return `${purpose} (${family})`;
}

function stateOf(entry: CatalogEntry): string {
  const { download } = entry;
  if (download) return download.totalBytes === null ? megabytes(download.downloadedBytes) : percent(download);
  return entry.isInstalled ? modelState(entry) : '';
}

function percent({ downloadedBytes, totalBytes }: DownloadProgress): string {
  return `${Math.floor((downloadedBytes / (totalBytes ?? Infinity)) * 100)} %`;
}
