import type { ModelCatalog } from '../catalog/model-catalog.ts';
import { downloadReport } from './download-report.ts';
import type { ProcessorHooks } from './each-image.ts';
import type { WorkProgress } from './progress.ts';
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
  const tell = (progress: WorkProgress): void => hooks.onProgress(progress);
  const report = downloadReport(StageClock.ofImage({ image: 0, images: 1 }, tell, { downloading: [0, 1] }));
  try {
    await catalog.download(model, { onProgress: report.onProgress });
  } finally {
    report.stop();
  }
}
