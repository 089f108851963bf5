import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { Item } from '../state/queue.ts';
import { hasEnded, items, remove } from '../state/queue.ts';
import { wordsOf } from '../service/connection.ts';
import { QueueRow } from './queue-row.tsx';
import { saveAll } from './save.ts';

/** All pictures, the newest first. */
export function Queue(): JSX.Element {
  const all = items.value;
  return (
    <section class="queue" aria-label="Queue">
      <Head all={all} />
      {all.length === 0 && <p class="hint">Nothing yet. What you drop is listed here, and stays over a reload.</p>}
      <ul>
        {all.map((item) => (
          <QueueRow key={item.id} item={item} />
        ))}
      </ul>
    </section>
  );
}

/** Reads how each job stands, so that the list need not be gone through whenever one gets further. */
function Head({ all }: { readonly all: readonly Item[] }): JSX.Element {
  const problem = useSignal('');
  const done = all.filter(({ job }) => job.value?.status === 'completed');
  const ended = all.filter(({ job }) => hasEnded(job.value));
  const save = (): void => {
    saveAll(done).catch((error: unknown) => (problem.value = wordsOf(error)));
  };
  return (
    <>
      <div class="row spread">
        <h2>
          Queue <small>{all.length === 0 ? '' : `${done.length} of ${all.length} done`}</small>
        </h2>
        {done.length > 0 && (
          <span class="row">
            <button type="button" onClick={save}>
              All as ZIP
            </button>
            <button type="button" class="quiet" onClick={() => void Promise.all(ended.map(remove))}>
              Clear done
            </button>
          </span>
        )}
      </div>
      {problem.value !== '' && <p class="problem">{problem.value}</p>}
    </>
  );
}
