import type { TaskRun } from '../processing/process-images.ts';
import type { Task } from './protocol.ts';

type TasksByKind = { readonly [T in Task as T['kind']]: T };

/** Works one task through, and ends when its results are written. Errors say what failed; the caller closes the process. */
export type Processor<T extends Task> = (task: T, run: TaskRun) => Promise<void>;

/** A processor for every kind of task. */
export type Processors = { readonly [K in keyof TasksByKind]: Processor<TasksByKind[K]> };

/** Has a task worked through by the processor of its kind. */
export async function processTask(processors: Processors, task: Task, run: TaskRun): Promise<void> {
  const process = <K extends keyof TasksByKind>(kind: K, asked: TasksByKind[K]) => processors[kind](asked, run);
  await process(task.kind, task);
}
