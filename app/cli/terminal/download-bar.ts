import cliProgress from 'cli-progress';
import type { DownloadProgress } from '../../catalog/download/progress-meter.ts';
import { durationInWords } from '../../client/duration-in-words.ts';

/** Bytes on stderr, where that is a terminal; else nothing. */
export class DownloadBar {
  readonly #bar: cliProgress.SingleBar | undefined;

  constructor(name: string, isWanted: boolean) {
    if (!isWanted || !process.stderr.isTTY) return;
    const format = `${name} {bar} {percentage}%  {value} of {total} MB  {eta_formatted} left`;
    this.#bar = new cliProgress.SingleBar(
      { format, formatTime: inWords, hideCursor: true },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(1, 0);
  }

  update({ downloadedBytes, totalBytes }: DownloadProgress): void {
    if (totalBytes !== null) this.#bar?.setTotal(Math.round(totalBytes / 1e6));
    this.#bar?.update(Math.round(downloadedBytes / 1e6));
  }

  stop(): void {
    this.#bar?.stop();
  }
}

/** @param seconds a word where nothing can be said yet */
function inWords(seconds: number | string): string {
  return typeof seconds === 'number' ? durationInWords(seconds) : 'some time';
}
