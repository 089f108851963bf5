/**
 * The entry of the process that reads strangers' checkpoints for the server: one file's path in, one short answer out, until
 * it is told nothing more. It holds no state, and is killed where it does not come to its end.
 */
import { inspectCheckpoint } from '../../architectures/inspect-checkpoint.ts';
import { inspectOnnxFile } from '../../exported/onnx-file.ts';
import { isOnnxName } from '../../exported/picture-model.ts';
import type { InspectionAnswer } from './inspection-messages.ts';
import { answerOfOnnx, problemOf } from './inspection-messages.ts';

// A terminal and a service manager signal every process of theirs: when this one ends is the server's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (file: string) => {
  void answerFor(file).then((answer) => process.send?.(answer, () => undefined));
});
process.once('disconnect', () => process.exit(0));

async function answerFor(file: string): Promise<InspectionAnswer> {
  try {
    if (isOnnxName(file)) return answerOfOnnx(await inspectOnnxFile(file));
    const {
      architecture,
      scale,
      input_channels: inputChannels,
      output_channels: outputChannels,
    } = inspectCheckpoint(file);
    return { architecture, scale, inputChannels, outputChannels };
  } catch (error) {
    return problemOf(error);
  }
}
