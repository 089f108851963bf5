import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import type { JSX, TargetedMouseEvent } from 'preact';
import { wordsOf } from '../service/connection.ts';
import type { Item } from '../state/items.ts';
import { isOver } from '../state/items.ts';
import { again, cancel, remove, retry } from '../state/queue.ts';
import { CopyAs } from './copy-as.tsx';
import { focusKeeper } from './focus-keeper.ts';
import { resultAsPng, saveAll, saveResult } from './save.ts';

/** What can be done about a picture; what did not work is said. */
export function RowActions({ item }: { readonly item: Item }): JSX.Element {
  const failure = useSignal('');
  const { job, file, name, settings: chosen } = item;
  const state = job.value;
  const isEnded = isOver(item);
  const results = state?.results ?? [];
  const [first] = results;
  const act = actsOf(failure);
  return (
    <div class="actions">
      {!isEnded && (
        <button type="button" aria-label={`Cancel ${name}`} onClick={act(() => cancel(item))}>
          Cancel
        </button>
      )}
      {first && (
        <button
          type="button"
          class="primary"
          aria-label={`Download ${name}`}
          onClick={act(() => (results.length > 1 ? saveAll([item]) : saveResult(item, first.index)))}
        >
          Download
        </button>
      )}
      {isEnded && file && !first && (
        <button type="button" aria-label={`Retry ${name}`} onClick={act(() => retry(item))}>
          Retry
        </button>
      )}
      {isEnded && file && first && (
        <button
          type="button"
          title="With the settings as they are now"
          aria-label={`Again: ${name}, with the settings as they are now`}
          onClick={() => again(item)}
        >
          Again
        </button>
      )}
      {chosen && <CopyAs name={name} chosen={chosen} picture={first && (() => resultAsPng(item, first))} />}
      {isEnded && (
        <button type="button" class="quiet" aria-label={`Remove ${name}`} onClick={act(() => remove(item))}>
          Remove
        </button>
      )}
      {failure.value !== '' && (
        <p class="problem" role="alert">
          {failure.value}
        </p>
      )}
    </div>
  );
}

/** A button's work: why it failed is told, and the focus stays where it was. */
function actsOf(failure: Signal<string>) {
  return (work: () => Promise<void>) =>
    (event: TargetedMouseEvent<HTMLButtonElement>): void => {
      failure.value = '';
      const keepFocus = focusKeeper(event.currentTarget);
      const told = work().catch((error: unknown) => (failure.value = wordsOf(error)));
      void told.finally(keepFocus);
    };
}
