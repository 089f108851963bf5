import type { DownloadOptions } from '../catalog/download/model-downloader.ts';
import type { StageClock, StageDetail } from './stage-clock.ts';

/** A download that waits (for a busy server, or for another process that fetches the same file) repeats its progress this often. */
const REPEAT_MS = 10_000;

/** Turns the progress of a download into that of the stage `downloading`. Stop it when the download has ended. */
export function downloadReport(clock: StageClock): {
  readonly onProgress: NonNullable<DownloadOptions['onProgress']>;
  stop(): void;
} {
  let last: { readonly share: number; readonly detail: StageDetail } = { share: 0, detail: {} };
  const tell = (): void => clock.at('downloading', last.share, last.detail);
  const repeat = setInterval(tell, REPEAT_MS);
  return {
    onProgress: ({ downloadedBytes, totalBytes }) => {
      const total = totalBytes ?? 0;
      last = {
        share: total > 0 ? downloadedBytes / total : 0,
        detail: total > 0 ? { downloadedBytes, totalBytes: total } : { downloadedBytes },
      };
      tell();
    },
    stop: () => clearInterval(repeat),
  };
}
