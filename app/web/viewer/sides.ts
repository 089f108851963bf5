import { computed, signal } from '@preact/signals';
import { wordsOf } from '../service/connection.ts';
import type { Item } from '../state/queue.ts';
import { chosenItem, items } from '../state/queue.ts';
import { sentenceOf } from '../state/settings.ts';
import type { Picture } from './picture.ts';
import { pictureOfFile, pictureOfResult } from './picture.ts';

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

  /** Shows what was picked; the picture of before stays until the new one is here. */
  async show(choice: Choice | undefined): Promise<void> {
    if (choice?.key === this.#key) return;
    this.#key = choice?.key;
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    this.problem.value = '';
    try {
      const picture = await choice?.open(opening.signal);
      if (opening.signal.aborted) {
        picture?.close();
        return;
      }
      this.picture.value?.close();
      this.picture.value = picture;
    } catch (error) {
      if (!opening.signal.aborted) this.problem.value = wordsOf(error);
    }
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

function choicesOf(item: Item): Choice[] {
  const { id, name, file, settings } = item;
  const original = file && {
    key: `file:${id}`,
    label: `${name}, original`,
    short: 'Original',
    open: () => pictureOfFile(file),
  };
  const results = (item.job.value?.results ?? []).map(({ index, info, original_filename: of }): Choice => {
    const path = `jobs/${item.jobId.value ?? ''}/results/${index}`;
    const how = settings ? sentenceOf(settings) : (info.upscaler ?? 'result');
    const label = `${settings ? name : of}, ${how}`;
    return {
      key: `result:${id}:${index}`,
      label,
      short: how,
      open: (signal) => pictureOfResult(path, info.output, signal),
    };
  });
  return [...(original ? [original] : []), ...results];
}
