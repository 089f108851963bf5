import cliProgress from 'cli-progress';
import { durationInWords } from '../../client/duration-in-words.ts';
import type { WorkProgress } from '../../processing/progress.ts';

/** A bar on stderr, where that is a terminal; else nothing. */
export class ProgressBar {
  readonly #bar: cliProgress.SingleBar | undefined;

  constructor(isWanted: boolean) {
    if (!isWanted || !process.stderr.isTTY) return;
    this.#bar = new cliProgress.SingleBar(
      { format: '{bar} {percentage}%  {what}', hideCursor: true, barsize: 30 },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(1000, 0, { what: 'starting' });
  }

  update(progress: WorkProgress): void {
    this.#bar?.update(Math.round(progress.progress * 1000), { what: `${describe(progress)}${left(progress)}` });
  }

  stop(): void {
    this.#bar?.stop();
  }
}

function describe({ stage, image, images, tile, tiles, downloadedBytes, totalBytes }: WorkProgress): string {
  const which = images > 1 ? `image ${image}/${images}, ` : '';
  if (stage === 'downloading') {
    const megabytes = (bytes: number | undefined) => ((bytes ?? 0) / 1e6).toFixed(1);
    return `${which}downloading the model, ${megabytes(downloadedBytes)} of ${totalBytes ? megabytes(totalBytes) : '?'} MB`;
  }
  return `${which}${stage}${tiles === undefined ? '' : ` tile ${tile ?? 0}/${tiles}`}`;
}

function left({ secondsLeft }: WorkProgress): string {
  return secondsLeft === undefined ? '' : `  ${durationInWords(secondsLeft)} left`;
}
