import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Config } from '../../config.ts';
import type { OptimizeReport } from '../../processing/int8/optimize-report.ts';
import { optimizeReport } from '../../processing/int8/optimize-report.ts';
import { WorkerPool } from '../../worker/worker-pool.ts';
import { GateFailedError } from '../errors.ts';
import { inputFiles } from '../inputs/input-files.ts';
import { interruptible } from '../interruption.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';

interface OptimizeFlags {
  readonly images?: readonly string[];
  readonly json?: boolean;
}

/** Adds `hiresfix models optimize` to the models command. */
export function addOptimizeCommand(models: Command, loadConfig: () => Config): void {
  models
    .command('optimize')
    .description(
      'Make and measure the int8 form of an ESRGAN or Real-ESRGAN network, which is faster on CPUs; --precision auto uses it if it is close enough to fp32',
    )
    .argument('<name|file>', 'a name from `models list`, or a checkpoint file')
    .option('--images <path...>', 'images, folders or glob patterns to calibrate on; by default built-in scenes')
    .option('--json', 'print one JSON document on stdout')
    .action(async (model: string, flags: OptimizeFlags) => {
      const config = loadConfig();
      const checkpoint = await checkpointOf(model, config);
      const images = flags.images ? (await inputFiles(flags.images)).map(({ path }) => path) : [];
      await optimize({ kind: 'optimize-model', checkpoint, images }, config, flags.json === true);
      const report = await optimizeReport(checkpoint);
      process.stdout.write(`${flags.json === true ? JSON.stringify(report, null, 2) : describe(report)}\n`);
      if (!report.passed) throw new GateFailedError(`${model}: the int8 form is not near enough; auto stays with fp32`);
    });
}

async function optimize(task: Parameters<WorkerPool['run']>[0], config: Config, isJson: boolean): Promise<void> {
  const pool = new WorkerPool(config, { isBackground: false });
  const bar = new ProgressBar(!isJson);
  try {
    await interruptible((signal) => pool.run(task, { signal, onProgress: (progress) => bar.update(progress) }));
  } finally {
    bar.stop();
    await pool.close();
  }
}

/** A path where there is such a file, else the model of that name, fetched where it is missing. */
async function checkpointOf(model: string, config: Config): Promise<string> {
  const path = resolve(model);
  const there = await stat(path).catch(() => undefined);
  return there?.isFile() === true ? path : (await createCatalog(config).ensure(model)).file;
}

function describe({ file, calibrated_on: { source, crops }, passed, fidelity, failures }: OptimizeReport): string {
  const verdict = passed
    ? 'passes the gate: auto takes it on CPUs'
    : `below the gate: auto stays with fp32 (${failures})`;
  return `${file}\ncalibrated on ${crops} crops of ${source}; ${fidelity}\n${verdict}`;
}
