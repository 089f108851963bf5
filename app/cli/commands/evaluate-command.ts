import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { HiresFixError, printable } from '../../errors.ts';
import type { EvaluationOptions, FilePair, FileScore } from '../../evaluation/evaluate-files.ts';
import { evaluateFiles } from '../../evaluation/evaluate-files.ts';
import { writeReport } from '../../evaluation/evaluation-report.ts';
import type { EvaluationView, FailedPair } from '../../evaluation/evaluation-view.ts';
import { evaluationView } from '../../evaluation/evaluation-view.ts';
import { BatchFailedError, UsageError } from '../errors.ts';
import { makeResultFolder } from '../batch-plan.ts';
import { filePairs } from '../file-pairs.ts';

interface EvaluateFlags {
  readonly cropBorder: string;
  readonly yChannel?: boolean;
  readonly report?: string;
  readonly json?: boolean;
}

/** Adds `hiresfix evaluate` to the program. */
export function addEvaluateCommand(program: Command, loadConfig: () => Config): void {
  program
    .command('evaluate')
    .description('Compute PSNR and SSIM of images against their references, as scikit-image does')
    .argument('<reference>', 'image, or folder of images')
    .argument(
      '<candidate>',
      'image to judge, or folder of images with the same names; names of results match too (a_upscaled.png for a.png)',
    )
    .option('--crop-border <pixels>', 'pixels to leave out at every edge', '0')
    .option('--y-channel', 'compare luma (BT.601, 16 to 235) instead of colours')
    .option('--report <folder>', 'write report.html, report.json and the worst cases side by side')
    .option('--json', 'print one JSON document on stdout')
    .action(async (reference: string, candidate: string, flags: EvaluateFlags) => {
      await evaluate(reference, candidate, flags, loadConfig());
    });
}

async function evaluate(reference: string, candidate: string, flags: EvaluateFlags, config: Config): Promise<void> {
  const { maxOutputPixels: maxPixels } = config;
  const options = { cropBorder: borderOf(flags.cropBorder), isLumaOnly: flags.yChannel === true, maxPixels };
  const { pairs, unpaired } = await filePairs(reference, candidate);
  if (flags.report !== undefined) await makeResultFolder(resolve(flags.report), '--report');
  const { scores, failed } = await evaluateAll(pairs, options);
  const failures = [...unpaired, ...failed];
  const [first] = failures;
  if (scores.length === 0 && first) throw first.error;

  const view = evaluationView(scores, failures.map(failureView), options);
  if (flags.report !== undefined) {
    await writeReport(resolve(flags.report), view, maxPixels);
  }
  process.stdout.write(`${flags.json === true ? JSON.stringify(view, null, 2) : textOf(view)}\n`);
  for (const { error } of failures) process.stderr.write(`hiresfix: ${printable(error.message)}\n`);
  if (failures.length > 0) {
    throw new BatchFailedError(`${failures.length} of ${failures.length + scores.length} images were not compared`);
  }
}

interface Failure {
  readonly name: string;
  readonly error: HiresFixError;
}

async function evaluateAll(
  pairs: readonly FilePair[],
  options: EvaluationOptions,
): Promise<{ readonly scores: readonly FileScore[]; readonly failed: readonly Failure[] }> {
  const scores: FileScore[] = [];
  const failed: Failure[] = [];
  for (const pair of pairs) {
    try {
      scores.push(await evaluateFiles(pair, options));
    } catch (error) {
      if (!(error instanceof HiresFixError)) throw error;
      failed.push({ name: pair.name, error });
    }
  }
  return { scores, failed };
}

function failureView({ name, error: { code, message } }: Failure): FailedPair {
  return { name, code, message };
}

function borderOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--crop-border: expected a whole number of pixels, got '${text}'`);
  return Number(text);
}

function textOf({ files, mean }: EvaluationView): string {
  const line = (name: string, { psnr, ssim }: EvaluationView['mean']): string =>
    `${printable(name)}  PSNR ${psnr === null ? 'infinite (equal)' : `${psnr.toFixed(4)} dB`}  SSIM ${ssim.toFixed(6)}`;
  const lines = files.map((file) => line(file.name, file));
  return (files.length > 1 ? [...lines, line(`mean of ${files.length}`, mean)] : lines).join('\n');
}
