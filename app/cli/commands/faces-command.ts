import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { printable } from '../../errors.ts';
import { FACE_MODELS } from '../../options/face-options.ts';
import type { FindFacesOptions } from '../../options/find-faces-options.ts';
import { findFacesOptions } from '../../options/find-faces-options.ts';
import { outputOptions } from '../../options/output-options.ts';
import { DEVICES } from '../../options/upscale-options.ts';
import type { FaceView } from '../../processing/find-faces-processor.ts';
import type { ResultInfo } from '../../processing/result.ts';
import type { FindFacesTask } from '../../processing/tasks.ts';
import type { BatchOutcome } from '../terminal/batch-report.ts';
import { notesOf, reportBatch } from '../terminal/batch-report.ts';
import { facesTable } from '../terminal/faces-table.ts';
import { givenFlags, parseOptions } from '../flag-options.ts';
import { addCommonOptions, addExamples, addInputs } from '../image-arguments.ts';
import type { CommonFlags } from '../batch-plan.ts';
import type { InputFile } from '../inputs/input-files.ts';
import { findInputs, nameOf } from '../inputs/input-files.ts';
import { PipedPictures } from '../inputs/piped-pictures.ts';
import { scratchFolder } from '../scratch-folder.ts';
import type { TaskRunner } from '../task-runner.ts';
import { taskRunner } from '../task-runner.ts';
import { workOnImages } from '../work-on-images.ts';

const FLAGS = ['faceModel', 'device'] as const;

const EXAMPLES = ['faces group.jpg', 'faces album/ --json --server http://127.0.0.1:8001'];

const numbers = z.array(z.number());
/** What a worker, or a service, writes of one picture. */
const facesFile = z.object({
  faces: z.array(
    z.object({ index: z.number(), box: numbers, landmarks: z.array(numbers), score: z.number(), size: z.number() }),
  ),
});

/** Adds `hiresfix faces` to the program. */
export function addFacesCommand(program: Command, loadConfig: () => Config): void {
  const command = program
    .command('faces')
    .description('List the faces that `hiresfix face` would restore: number, score, position');
  addInputs(command)
    .addOption(
      new Option(
        '--face-model <model>',
        'model whose faces are listed (codeformer finds more); the default is MODEL_FACE',
      ).choices(FACE_MODELS),
    )
    .addOption(new Option('--device <device>', 'where the network runs').choices(DEVICES));
  addExamples(addCommonOptions(command), EXAMPLES).action(async (inputs: string[], flags: CommonFlags) => {
    const given = givenFlags(flags, FLAGS);
    const options = parseOptions(findFacesOptions, given);
    const run = taskRunner(flags, loadConfig(), { method: 'faces', fields: given });
    await listFaces(inputs, options, { run, isJson: flags.json === true });
  });
}

async function listFaces(
  inputs: readonly string[],
  options: FindFacesOptions,
  { run, isJson }: { readonly run: TaskRunner; readonly isJson: boolean },
): Promise<void> {
  const folder = scratchFolder('faces');
  const pipes = new PipedPictures();
  try {
    const found = await findInputs(inputs, { pipes });
    const all = { ...found, indices: found.files.map((_, index) => index), skipped: new Map(), failures: new Map() };
    const task = findFacesTask(found.files, options, folder.path);
    const outcome = await workOnImages(all, { task, run }, { isBarWanted: !isJson });
    const faces = await readFaces(outcome);
    const facesOf = (index: number): readonly FaceView[] => faces.get(index) ?? [];
    reportBatch(outcome, {
      isJson,
      document: ({ index, info }) => ({ faces: facesOf(index), info }),
      text: ({ index, info }, input) => describe(facesOf(index), info, input),
    });
  } finally {
    pipes.remove();
    folder.remove();
  }
}

function findFacesTask(files: readonly InputFile[], options: FindFacesOptions, folder: string): FindFacesTask {
  const images = files.map((file, index) => ({
    file: file.path,
    name: nameOf(file),
    outputStem: join(folder, String(index)),
  }));
  return { kind: 'find-faces', images, output: outputOptions.parse({}), options };
}

/** The faces of each picture that was looked at, by its index. */
async function readFaces({ results }: BatchOutcome): Promise<ReadonlyMap<number, readonly FaceView[]>> {
  const found = new Map<number, readonly FaceView[]>();
  for (const { index, file } of results.values()) {
    found.set(index, facesFile.parse(JSON.parse(await readFile(file, 'utf8'))).faces);
  }
  return found;
}

function describe(faces: readonly FaceView[], info: ResultInfo, input: string): string {
  const { input: size, face_model: model = 'the detector' } = info;
  const count = faces.length === 1 ? '1 face' : `${faces.length || 'no'} faces`;
  const table = faces.length === 0 ? '' : `\n${facesTable(faces).replace(/^/gm, '  ')}`;
  return `${printable(input)}  ${size.width}x${size.height}, ${count} as ${model} sees them${table}${notesOf(info)}`;
}
