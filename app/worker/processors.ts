import type { TaskRun } from '../processing/each-image.ts';
import type { Task } from './protocol.ts';

type TasksByKind = { readonly [T in Task as T['kind']]: T };

/** Works through one kind of task; resolves when the results are written. */
export type Processor<T extends Task> = (task: T, run: TaskRun) => Promise<void>;

/** A processor for every kind of task. */
export type Processors = { readonly [K in keyof TasksByKind]: Processor<TasksByKind[K]> };

/** Runs the processor of the task's kind. @throws what the processor throws */
export async function processTask(processors: Processors, task: Task, run: TaskRun): Promise<void> {
  const process = <K extends keyof TasksByKind>(kind: K, asked: TasksByKind[K]) => processors[kind](asked, run);
  await process(task.kind, task);
}
