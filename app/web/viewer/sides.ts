import type { ReadonlySignal } from '@preact/signals';
import { computed, signal } from '@preact/signals';
import type { JobResultState } from '../../client/job-state.ts';
import { wordsOf } from '../service/connection.ts';
import { resultSize } from '../state/estimate.ts';
import type { Item } from '../state/items.ts';
import { items } from '../state/items.ts';
import { chosenItem } from '../state/queue.ts';
import { sentenceOf } from '../state/settings.ts';
import type { Picture } from './picture.ts';
import { pictureOfFile, pictureOfResult } from './picture.ts';
import { UnfinishedPicture } from './unfinished-picture.ts';

/** Something that a side can show. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  /** For a corner of the stage. */
  readonly short: string;
  readonly open: (signal: AbortSignal) => Promise<Picture>;
}

export type SideName = 'left' | 'right';

/** A side: what was picked for it, and the picture, once it is here. */
class Side {
  readonly picked = signal<string | undefined>(undefined);
  readonly picture = signal<Picture | undefined>(undefined);
  readonly problem = signal('');
  #key: string | undefined;
  #opening: AbortController | undefined;

  /** Shows what was picked; the picture of before stays until the new one is here, or is known not to come. */
  async show(choice: Choice | undefined): Promise<void> {
    if (choice?.key === this.#key) return;
    this.#key = choice?.key;
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    this.problem.value = '';
    try {
      const picture = await choice?.open(opening.signal);
      if (opening.signal.aborted) picture?.close();
      else this.#take(picture);
    } catch (error) {
      if (opening.signal.aborted) return;
      this.problem.value = wordsOf(error);
      this.#take(undefined);
    }
  }

  #take(picture: Picture | undefined): void {
    const before = this.picture.value;
    this.picture.value = picture; // first: what is painted next is no longer the one that is closed
    before?.close();
  }
}

export const sides: Readonly<Record<SideName, Side>> = { left: new Side(), right: new Side() };

/** All that can be compared: originals that are here, and results. */
export const choices = computed(() => items.value.flatMap(choicesOf));

/** What a side shows: what was picked for it, else the chosen item's original at the left, and its result at the right. */
export function choiceFor(side: SideName): Choice | undefined {
  const picked = choices.value.find(({ key }) => key === sides[side].picked.value);
  if (picked) return picked;
  const own = chosenItem.value ? choicesOf(chosenItem.value) : [];
  return side === 'left' ? own[0] : own.at(-1);
}

/** What a side shows where nothing was picked for it, in words. */
export function unpickedLabel(side: SideName): string {
  if (side === 'right') return 'Its result';
  const hasOriginal = chosenItem.value?.file !== undefined;
  return chosenItem.value && !hasOriginal ? 'Its result: the original is elsewhere' : 'Its original';
}

const ownChoices = new WeakMap<Item, ReadonlySignal<readonly Choice[]>>();

/** The same list until there is something else to choose: progress alone changes nothing. */
function choicesOf(item: Item): readonly Choice[] {
  const own = ownChoices.get(item) ?? choicesAsTheyCome(item);
  ownChoices.set(item, own);
  return own.value;
}

function choicesAsTheyCome(item: Item): ReadonlySignal<readonly Choice[]> {
  const results = computed(() => item.job.value?.results);
  const imageAtWork = computed(() => {
    const { status, tiles = 0, image = 1 } = item.job.value ?? {};
    return status === 'processing' && (tiles ?? 0) > 1 ? image : undefined;
  });
  return computed(() => {
    const original = originalOf(item);
    const unfinished = imageAtWork.value === undefined ? undefined : unfinishedOf(item, imageAtWork.value - 1);
    const made = (results.value ?? []).map((result) => resultOf(item, result));
    return [...(original ? [original] : []), ...(unfinished ? [unfinished] : []), ...made];
  });
}

function originalOf({ id, name, file }: Item): Choice | undefined {
  return (
    file && { key: `file:${id}`, label: `${name}, original`, short: 'Original', open: () => pictureOfFile(file, name) }
  );
}

function resultOf(item: Item, { index, info, original_filename: of }: JobResultState): Choice {
  const { id, name, settings } = item;
  const path = `jobs/${item.jobId.value ?? ''}/results/${index}`;
  const how = settings ? sentenceOf(settings) : (info.upscaler ?? 'result');
  return {
    key: `result:${id}:${index}`,
    label: `${settings ? name : of}, ${how}`,
    short: how,
    open: (signal) => pictureOfResult(path, info.output, signal),
  };
}

function unfinishedOf(item: Item, index: number): Choice {
  const { id, name, file, settings, size, job } = item;
  return {
    key: `unfinished:${id}:${index}`,
    label: `${name}, as far as it is`,
    short: 'As far as it is',
    open: async () => {
      const ground = file && (await createImageBitmap(file).catch(() => undefined)); // no browser shows all that is read here
      const expected = settings && size.value && resultSize(size.value, settings);
      return new UnfinishedPicture({
        path: `jobs/${item.jobId.value ?? ''}/sketch/${index}`,
        size: expected ?? job.value?.picture ?? { width: 1, height: 1 },
        ground,
        tile: computed(() => job.value?.tile ?? 0),
      });
    },
  };
}
