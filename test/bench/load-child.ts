/** Run by `precision`: loads one form of a checkpoint's network as the service does, runs a tile, and tells what that took. */
import { buildImageGraph } from '../../app/architectures/image-graph.ts';
import { recognise } from '../../app/architectures/registry.ts';
import { openCheckpoint } from '../../app/checkpoints/open-checkpoint.ts';
import { Session, weightsFolderOf } from '../../app/inference/session.ts';
import { serializeModel } from '../../app/onnx/model-proto.ts';
import { int8Graph } from '../../app/quantization/int8-graph.ts';
import { numbersInFile } from '../../app/quantization/int8-model.ts';
import { peakMemory } from '../support/peak-memory.ts';

const [checkpoint = '', form, text] = process.argv.slice(2);
const side = Number(text);
const start = performance.now();
const graph = buildImageGraph(recognise(openCheckpoint(checkpoint)), {
  width: side,
  height: side,
  channels: 3,
  depth: 8,
});
const model =
  form === 'int8'
    ? serializeModel(int8Graph(graph, numbersInFile(openCheckpoint(`${checkpoint}.int8`))))
    : graph.serialize();
const session = await Session.open(model, { weightsFolder: weightsFolderOf(checkpoint), device: 'cpu' });
const ms = performance.now() - start;
await session.run({ pixels: { type: 'uint8', data: new Uint8Array(side * side * 3), dims: [side, side, 3] } });
process.send?.({ ms, bytes: peakMemory('self') }, () => process.exit(0));
