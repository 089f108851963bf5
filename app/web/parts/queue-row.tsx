import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { inBytes, inPixels } from '../state/estimate.ts';
import type { Item } from '../state/queue.ts';
import { cancel, chosenId, hasEnded, remove, retry } from '../state/queue.ts';
import { sentenceOf, settings } from '../state/settings.ts';
import { CopyAs } from './copy-as.tsx';
import { phaseOf } from './phase.ts';
import { resultAsPng, saveResult } from './save.ts';
import { useTurn } from './turn.ts';

/** One picture: what is done to it, how far that is, and what can be done about it. */
export const QueueRow = memo(function QueueRow({ item }: { readonly item: Item }): JSX.Element {
  const isChosen = useComputed(() => chosenId.value === item.id);
  const { name, folder } = item;
  if (!useTurn()) return <li class="item" aria-busy="true" />;
  return (
    <li class={isChosen.value ? 'item chosen' : 'item'}>
      <button
        type="button"
        class="open"
        aria-pressed={isChosen.value}
        aria-label={`Look at ${name}`}
        onClick={() => (chosenId.value = item.id)}
      >
        <Thumbnail item={item} />
      </button>
      <div class="what">
        <strong title={folder === '' ? name : `${folder}/${name}`}>{name}</strong>
        <small>{item.settings ? sentenceOf(item.settings) : (item.job.value?.method ?? '')}</small>
        <Progress item={item} />
      </div>
      <Actions item={item} />
    </li>
  );
});

function Thumbnail({ item }: { readonly item: Item }): JSX.Element {
  const url = item.thumbnail.value;
  return url === undefined ? (
    <span class="thumbnail none" aria-hidden="true" />
  ) : (
    <img class="thumbnail" src={url} alt="" width="56" height="56" />
  );
}

function Progress({ item }: { readonly item: Item }): JSX.Element {
  const { job, problem } = item;
  const state = job.value;
  const failure = problem.value ?? (state?.status === 'failed' ? state.error : undefined);
  if (failure) return <span class="problem">{failure}</span>;
  if (!state) return <span class="phase">Sending</span>;
  if (state.status === 'completed') return <Done item={item} />;
  if (state.status === 'cancelled') return <span class="phase">Cancelled</span>;
  return (
    <>
      <progress max={1} value={state.progress} aria-label={`${item.name}, progress`} />
      <span class="phase">{phaseOf(state)}</span>
    </>
  );
}

function Done({ item }: { readonly item: Item }): JSX.Element {
  const results = item.job.value?.results ?? [];
  const failed = (item.job.value?.image_states ?? []).filter(({ status }) => status === 'failed');
  const [first] = results;
  return (
    <span class="phase done">
      Done{first && `: ${inPixels(first.info.output)}, ${inBytes(first.bytes)}`}
      {failed.length > 0 && `; ${failed.length} failed: ${failed[0]?.error ?? ''}`}
    </span>
  );
}

function Actions({ item }: { readonly item: Item }): JSX.Element {
  const { job, problem, file, settings: chosen } = item;
  const state = job.value;
  const isOver = hasEnded(state) || problem.value !== undefined;
  const [first] = state?.results ?? [];
  return (
    <div class="actions">
      {!isOver && (
        <button type="button" aria-label={`Cancel ${item.name}`} onClick={() => void cancel(item)}>
          Cancel
        </button>
      )}
      {first && (
        <button type="button" class="primary" onClick={() => void saveResult(item, first.index)}>
          Download
        </button>
      )}
      {isOver && file && (
        <button type="button" onClick={() => retry(item, state?.status === 'completed' ? settings.value : chosen)}>
          {state?.status === 'completed' ? 'Again as now chosen' : 'Retry'}
        </button>
      )}
      {chosen && <CopyAs name={item.name} chosen={chosen} picture={first && (() => resultAsPng(item, first.index))} />}
      {isOver && (
        <button type="button" class="quiet" aria-label={`Remove ${item.name}`} onClick={() => void remove(item)}>
          Remove
        </button>
      )}
    </div>
  );
}
