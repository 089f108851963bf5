import type { ModelCatalog } from '../catalog/model-catalog.ts';
import { downloadReport } from './download-report.ts';
import type { ProcessorHooks } from './process-images.ts';
import { StageClock } from './stage-clock.ts';
import type { DownloadTask } from './tasks.ts';

/**
 * Puts a model in place, as a task of its own.
 * @throws UnknownModelError, ModelUnavailableError
 */
export async function downloadModel(
  { model }: DownloadTask,
  catalog: Pick<ModelCatalog, 'download'>,
  hooks: Pick<ProcessorHooks, 'onProgress'>,
): Promise<void> {
  const report = downloadReport(
    new StageClock(0, 1, { downloading: [0, 1] }, (progress) => hooks.onProgress(progress)),
  );
  try {
    await catalog.download(model, { onProgress: report.onProgress });
  } finally {
    report.stop();
  }
}
