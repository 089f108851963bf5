import type { Config } from '../config.ts';
import type { ImagesTask } from '../processing/tasks.ts';
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

/** Runs a task here, in a worker process. */
async function runLocally(config: Config, task: Task, hooks: TaskHooks): Promise<void> {
  const pool = new WorkerPool(config, { isBackground: false });
  try {
    await pool.run(task, hooks);
  } finally {
    await pool.close();
  }
}

/** The format may come from the name of the output file. A list of faces has none. */
function withFormat(call: RemoteCall, { output }: ImagesTask): RemoteCall {
  if (call.method === 'faces') return call;
  return { ...call, fields: { ...call.fields, output_format: output.output_format } };
}
