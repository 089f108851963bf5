import type { JSX, TargetedMouseEvent } from 'preact';
import { useSignal } from '@preact/signals';
import type { Item } from '../state/items.ts';
import { isOver, items } from '../state/items.ts';
import { remove } from '../state/queue.ts';
import { wordsOf } from '../service/connection.ts';
import { focusKeeper } from './focus-keeper.ts';
import { QueueRow } from './queue-row.tsx';
import { saveAll } from './save.ts';

/** All pictures, the newest first. */
export function Queue(): JSX.Element {
  const all = items.value;
  return (
    <section class="queue" aria-label="Queue" tabIndex={-1}>
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
  const over = all.filter((item) => isOver(item));
  const clear = (event: TargetedMouseEvent<HTMLButtonElement>): void => {
    void Promise.all(over.map(remove)).finally(focusKeeper(event.currentTarget));
  };
  const save = (): void => {
    problem.value = '';
    saveAll(done).catch((error: unknown) => (problem.value = wordsOf(error)));
  };
  return (
    <>
      <div class="row spread head">
        <h2>
          Queue <small>{all.length === 0 ? '' : `${done.length} of ${all.length} done`}</small>
        </h2>
        <span class="row">
          {done.length > 0 && (
            <button type="button" onClick={save}>
              All as ZIP
            </button>
          )}
          {over.length > 0 && (
            <button type="button" class="quiet" onClick={clear}>
              Clear ended
            </button>
          )}
        </span>
      </div>
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </>
  );
}
