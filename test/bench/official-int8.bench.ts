/**
 * A tile of 128 x 128 through the official models that ship with an int8 recipe, in fp32 and as the recipe makes them, in turn in one
 * process: the median of the rounds' ratios, by processor time and by the clock. The real weights are looked for in
 * `$HIRESFIX_REFERENCE`, else `../shared`.
 */
import { join } from 'node:path';
import { buildImageGraph } from '../../app/architectures/image-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { serializeModel } from '../../app/onnx/model-proto.ts';
import { proceduralScene } from '../../app/processing/int8/scene.ts';
import { officialForm } from '../../app/processing/networks/official-form.ts';
import { weightLimit } from '../../app/processing/networks/weight-limit.ts';
import { int8Graph } from '../../app/quantization/int8-graph.ts';
import { referencePath } from '../support/machines/reference-path.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SIDE = 128;
const SHAPE = { width: SIDE, height: SIDE, channels: 3, depth: 8 } as const;
const ROUNDS = Number(process.argv[2] ?? 5);
const NAMES = ['RealESRGAN_x4plus', 'RealESRGAN_x4plus_anime_6B'];

/** In milliseconds. */
interface Taken {
  readonly processor: number;
  readonly clock: number;
}

for (const name of NAMES) {
  const checkpoint = referencePath('weights', `${name}.pth`);
  if (checkpoint) await measure(name, checkpoint);
  else print(`${name.padEnd(28)} needs ${join('weights', `${name}.pth`)} in $HIRESFIX_REFERENCE or ../shared`);
}

async function measure(name: string, checkpoint: string): Promise<void> {
  const folder = await temporaryFolder();
  const form = officialForm({ checkpoint, sha256: name, limit: await weightLimit() }, { folder: folder.path });
  await folder.remove();
  if (!form) {
    print(`${name.padEnd(28)} has no int8 form for this CPU`);
    return;
  }
  const network = recognise(openCheckpoint(checkpoint));
  const options = { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' } as const;
  const fp32 = await Session.open(buildImageGraph(network, SHAPE).serialize(), options);
  const int8 = await Session.open(serializeModel(int8Graph(buildImageGraph(network, SHAPE), form.numbers)), options);
  const rounds: (readonly [fp32: Taken, int8: Taken])[] = [];
  for (let round = 0; round <= ROUNDS; round++) rounds.push([await taken(fp32), await taken(int8)]);
  rounds.shift(); // the first runs find their memory
  await fp32.release();
  await int8.release();
  for (const kind of ['processor', 'clock'] as const) {
    const [exact, rounded] = [0, 1].map((at) => median(rounds.map((round) => round[at as 0 | 1][kind])));
    const ratio = median(rounds.map((round) => round[1][kind] / round[0][kind]));
    print(
      `${name.padEnd(28)} ${kind.padEnd(9)} fp32 ${(exact ?? 0).toFixed(0)} ms, int8 ${(rounded ?? 0).toFixed(0)} ms: ${ratio.toFixed(3)}`,
    );
  }
}

async function taken(session: Session): Promise<Taken> {
  const pixels = { type: 'uint8', data: proceduralScene(1, SIDE).data, dims: [SIDE, SIDE, 3] } as const;
  const [processor, clock] = [process.cpuUsage(), performance.now()];
  await session.run({ pixels });
  const { user, system } = process.cpuUsage(processor);
  return { processor: (user + system) / 1000, clock: performance.now() - clock };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
