/** How far a download is, in bytes; `totalBytes` is null where nobody knows yet. */
export interface DownloadProgress {
  readonly downloadedBytes: number;
  readonly totalBytes: number | null;
}

export type OnDownloadProgress = (progress: DownloadProgress) => void;

/** Passes progress on, at most once in `everyMs`. */
export class ProgressMeter {
  readonly #listener: OnDownloadProgress | undefined;
  readonly #everyMs: number;
  #reportedAt = -Infinity;

  constructor(listener: OnDownloadProgress | undefined, everyMs: number) {
    this.#listener = listener;
    this.#everyMs = everyMs;
  }

  report(downloadedBytes: number, totalBytes: number | null): void {
    const now = performance.now();
    if (now - this.#reportedAt >= this.#everyMs) this.#send(now, { downloadedBytes, totalBytes });
  }

  /** The last word, which is never left out. */
  finish(totalBytes: number): void {
    this.#send(performance.now(), { downloadedBytes: totalBytes, totalBytes });
  }

  #send(now: number, progress: DownloadProgress): void {
    this.#reportedAt = now;
    this.#listener?.(progress);
  }
}
