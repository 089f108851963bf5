import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { inBytes, inPixels } from '../state/estimate.ts';
import type { Item } from '../state/items.ts';
import { chosenId, lookAt } from '../state/queue.ts';
import { sentenceOf } from '../state/settings.ts';
import { phaseOf } from './phase.ts';
import { RowActions } from './row-actions.tsx';
import { useTurn } from './turn.ts';

/** One picture: what is done to it, how far that is, and what can be done about it. */
export function QueueRow({ item }: { readonly item: Item }): JSX.Element {
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
        onClick={() => lookAt(item.id)}
      >
        <Thumbnail item={item} />
      </button>
      <div class="what">
        <strong title={folder === '' ? name : `${folder}/${name}`}>{name}</strong>
        <small>{item.settings ? sentenceOf(item.settings) : (item.job.value?.method ?? '')}</small>
        <Progress item={item} />
      </div>
      <RowActions item={item} />
    </li>
  );
}

function Thumbnail({ item }: { readonly item: Item }): JSX.Element {
  const url = item.thumbnail.value;
  return url === undefined ? (
    <span class="thumbnail none" aria-hidden="true" />
  ) : (
    <img class="thumbnail" src={url} alt="" width="56" height="56" />
  );
}

function Progress({ item }: { readonly item: Item }): JSX.Element {
  const { job, problem, hindrance } = item;
  const state = job.value;
  const failure = problem.value ?? (state?.status === 'failed' ? state.error : undefined);
  if (failure) return <span class="problem">{failure}</span>;
  if (!state) return <span class="phase">{hindrance.value ?? 'Sending'}</span>;
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
