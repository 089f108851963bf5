import type { Config } from '../config.ts';
import { HiresFixError } from '../errors.ts';
import type { AskedWork } from '../processing/assert-work-fits.ts';
import { assertWorkFits } from '../processing/assert-work-fits.ts';
import type { FaceTask, FindFacesTask, HiresFixTask, ImagesTask, RestoreTask } from '../processing/tasks.ts';
import type { Task } from '../worker/protocol.ts';
import type { TaskHooks } from '../worker/worker-pool.ts';
import { WorkerPool } from '../worker/worker-pool.ts';
import { remoteClient } from './remote/remote-client.ts';
import type { RemoteCall } from './remote/run-remotely.ts';
import { runRemotely } from './remote/run-remotely.ts';

/** Works on all images of a task, and tells the hooks of each. */
export type TaskRunner = (task: ImagesTask & Task, hooks: TaskHooks) => Promise<void>;

/**
 * Who does a command's work: a worker process here, or the service of `--server`.
 * @param call what the service is asked to do, by the options that were given
 * @throws UsageError where `--server` is not the URL of a service
 */
export function taskRunner({ server }: { readonly server?: string }, config: Config, call: RemoteCall): TaskRunner {
  if (server === undefined) return (task, hooks) => runLocally(config, task, hooks);
  const client = remoteClient(server);
  return (task, hooks) => runRemotely(client, { task, call: withFormat(call, task) }, hooks);
}

/** Runs a task here, in a worker process; a single image that is beyond the limits needs none to be refused. */
async function runLocally(config: Config, task: ImagesTask & Task, hooks: TaskHooks): Promise<void> {
  const refusal = isWorkOnImages(task) ? await refusalOf(task, config) : undefined;
  if (refusal) {
    if (refusal.fault !== 'image' || !hooks.onImageFailed) throw refusal;
    hooks.onImageFailed(0, refusal);
    return;
  }
  const pool = new WorkerPool(config, { isBackground: false });
  try {
    await pool.run(task, hooks);
  } finally {
    await pool.close();
  }
}

function isWorkOnImages(
  task: ImagesTask & Task,
): task is ImagesTask & (HiresFixTask | FaceTask | FindFacesTask | RestoreTask) {
  return ['hires-fix', 'face', 'find-faces', 'restore'].includes(task.kind);
}

/** Of several images, each that is refused is told by name as its turn comes. */
async function refusalOf(task: ImagesTask & AskedWork, config: Config): Promise<HiresFixError | undefined> {
  if (task.images.length !== 1) return undefined;
  try {
    await assertWorkFits(task, task.images, config);
    return undefined;
  } catch (error) {
    if (error instanceof HiresFixError) return error;
    throw error;
  }
}

/** The format may come from the name of the output file. A list of faces has none. */
function withFormat(call: RemoteCall, { output }: ImagesTask): RemoteCall {
  if (call.method === 'faces') return call;
  return { ...call, fields: { ...call.fields, output_format: output.output_format } };
}
