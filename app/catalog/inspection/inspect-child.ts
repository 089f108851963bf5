/**
 * The entry of the process that reads strangers' checkpoints for the server: one file's path in, one short answer out, until
 * it is told nothing more. It holds no state, and is killed where it does not come to its end.
 */
import { inspectCheckpoint } from '../../architectures/inspect-checkpoint.ts';
import type { InspectionAnswer } from './inspection-messages.ts';
import { problemOf } from './inspection-messages.ts';

// A terminal and a service manager signal every process of theirs: when this one ends is the server's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (file: string) => process.send?.(answerFor(file), () => undefined));
process.once('disconnect', () => process.exit(0));

function answerFor(file: string): InspectionAnswer {
  try {
    const { architecture, scale } = inspectCheckpoint(file);
    return { architecture, scale };
  } catch (error) {
    return problemOf(error);
  }
}
