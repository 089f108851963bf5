import { DownloadError } from '../../../app/catalog/errors.ts';
import type { ModelDownloaderOptions } from '../../../app/catalog/download/model-downloader.ts';
import { ModelDownloader } from '../../../app/catalog/download/model-downloader.ts';
import type { RemoteModel } from '../../../app/catalog/remote-model.ts';
import { peakMemory } from '../../support/peak-memory.ts';

/**
 * A process that downloads one model, to be killed or raced: `node download-child.mjs '{"options":...,"model":...}'`.
 * Prints `{"isFetched"}` or `{"reason","message"}` as its last line; reports the first progress as `started`.
 */
const { options, model } = JSON.parse(process.argv[2] ?? '') as { options: ModelDownloaderOptions; model: RemoteModel };

let hasStarted = false;
try {
  const { isFetched } = await new ModelDownloader(options).download(model, {
    onProgress: () => {
      if (!hasStarted) process.stdout.write('started\n');
      hasStarted = true;
    },
  });
  process.stdout.write(`${JSON.stringify({ isFetched, peakRss: peakMemory('self') })}\n`);
} catch (error) {
  if (!(error instanceof DownloadError)) throw error;
  process.stdout.write(`${JSON.stringify({ reason: error.reason, message: error.message })}\n`);
  process.exitCode = 1;
}
