import { modelSources, reachSources } from '../catalog/download/model-sources.ts';
import { readRemoteModels } from '../catalog/remote-model.ts';
import type { Config } from '../config.ts';
import type { Finding } from './finding.ts';

/** Whether models can be fetched. */
export interface DownloadsReport {
  /** `MODEL_DOWNLOADS`; where it is off nobody is asked. */
  readonly is_enabled: boolean;
  /** Null where nobody was asked. */
  readonly is_reachable: boolean | null;
  /** Who has them, or was asked last. */
  readonly host: string | null;
}

/** How long each source may take to answer. */
const LIMIT_MS = 10_000;

/** Asks for the first bytes of a model, by the way that a download takes. */
export async function checkDownloads(
  config: Pick<Config, 'modelDownloads' | 'modelMirror'>,
): Promise<Finding<DownloadsReport>> {
  const [model] = readRemoteModels();
  if (!config.modelDownloads || !model) {
    return { found: { is_enabled: config.modelDownloads, is_reachable: null, host: null }, problems: [] };
  }
  const { isReachable, host, problems } = await reachSources(modelSources(model, config.modelMirror), LIMIT_MS);
  const remedy =
    'behind a proxy set HTTPS_PROXY, with a mirror of your own MODEL_MIRROR; where models are put in place by hand, MODEL_DOWNLOADS=false';
  return {
    found: { is_enabled: true, is_reachable: isReachable, host },
    problems: problems.map((problem) => ({ is_error: !isReachable, problem: `downloads: ${problem}`, remedy })),
  };
}
