import { describe, expect, it } from '@jest/globals';
import type { TaskRun } from '../../../app/processing/each-image.ts';
import type { Processors } from '../../../app/worker/processors.ts';
import { processTask } from '../../../app/worker/processors.ts';
import type { Task } from '../../../app/worker/protocol.ts';

const RUN: TaskRun = {
  rung: { excludedDevices: [], finished: [] },
  scratch: 'scratch',
  hooks: {
    onImage: () => undefined,
    onPlacing: () => undefined,
    onProgress: () => undefined,
    onRunning: () => undefined,
    onResult: () => undefined,
    onImageFailed: () => undefined,
  },
};

describe('the table of processors', () => {
  const done: string[] = [];
  const note = (task: Task): Promise<void> => Promise.resolve(void done.push(task.kind));
  const table: Processors = {
    'hires-fix': note,
    preview: note,
    extras: note,
    face: note,
    'find-faces': note,
    restore: note,
    download: ({ model }, { scratch }) => Promise.resolve(void done.push(`${model} in ${scratch}`)),
    'run-network': note,
    'optimize-model': note,
  };

  it('has a task worked through by the processor of its kind, in the run that it is given', async () => {
    await processTask(table, { kind: 'download', model: 'compact-x2' }, RUN);
    await processTask(table, { kind: 'optimize-model', checkpoint: 'a.pth', images: [] }, RUN);
    expect(done).toEqual(['compact-x2 in scratch', 'optimize-model']);
  });

  it('does not compile without a kind, or with a processor of another kind', () => {
    const { download, ...others } = table;
    // @ts-expect-error -- a table without downloads is none
    const incomplete: Processors = others;
    // @ts-expect-error -- what downloads cannot restore
    const mixed: Processors = { ...table, restore: download };
    expect([Object.keys(incomplete), Object.keys(mixed)]).toMatchObject([{ length: 8 }, { length: 9 }]);
  });
});
