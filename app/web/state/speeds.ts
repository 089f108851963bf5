import { computed } from '@preact/signals';
import type { Speeds } from './estimate.ts';
import { items } from './items.ts';

/** How fast each upscaler has been here of late: seconds for each megapixel of the input, from the results that are in the queue. */
export const speeds = computed<Speeds>(() => {
  const measured: Record<string, number> = {};
  for (const { job, settings } of items.value) {
    for (const { info } of job.value?.results ?? []) {
      const seconds = secondsOf(info);
      const megapixels = (info.input.width * info.input.height) / 1e6;
      if (!settings || settings.isFaceEnhance || seconds === 0 || megapixels < 0.05) continue;
      measured[settings.upscaler] ??= seconds / megapixels; // the newest comes first
    }
  }
  return measured;
});

/** 0 for what came out of the cache: it says nothing of the work. */
function secondsOf({ seconds }: { readonly seconds?: Readonly<Record<string, number>> }): number {
  return seconds?.['cache'] === undefined ? (seconds?.['total'] ?? 0) : 0;
}
