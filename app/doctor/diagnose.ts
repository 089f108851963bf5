import type { Config } from '../config.ts';
import { version } from '../version.ts';
import type { CudaReport } from './check-cuda.ts';
import { checkCuda } from './check-cuda.ts';
import type { DownloadsReport } from './check-downloads.ts';
import { checkDownloads } from './check-downloads.ts';
import type { FolderReport } from './check-folders.ts';
import { checkFolders } from './check-folders.ts';
import type { ModelReport } from './check-models.ts';
import { checkModels } from './check-models.ts';
import type { RuntimeReport } from './check-runtime.ts';
import { checkRuntime } from './check-runtime.ts';
import type { Problem } from './finding.ts';
import type { DeviceReport } from './try-devices.ts';
import { tryDevices } from './try-devices.ts';

/** What `hiresfix doctor --json` prints. Snake case: it is public JSON. */
export interface Diagnosis {
  readonly version: string;
  readonly runtime: RuntimeReport;
  readonly cuda: CudaReport;
  readonly devices: readonly DeviceReport[];
  readonly models: readonly ModelReport[];
  readonly folders: readonly FolderReport[];
  readonly downloads: DownloadsReport;
  readonly problems: readonly Problem[];
  /** Whether none of the problems is an error. */
  readonly is_healthy: boolean;
}

/** Looks at everything that the program needs here. Nothing is changed or fetched; a picture of the doctor's own is tried out. */
export async function diagnose(config: Config): Promise<Diagnosis> {
  const runtime = checkRuntime();
  const [cuda, models, folders, downloads] = await Promise.all([
    checkCuda(config),
    checkModels(config),
    checkFolders(config),
    checkDownloads(config),
  ]);
  const devices = await tryDevices(config, visibleUuids(cuda.found)); // alone, for its times
  const problems = [runtime, cuda, devices, models, folders, downloads].flatMap((one) => one.problems);
  return {
    version: version(),
    runtime: runtime.found,
    cuda: cuda.found,
    devices: devices.found,
    models: models.found,
    folders: folders.found,
    downloads: downloads.found,
    problems,
    is_healthy: !problems.some((problem) => problem.is_error),
  };
}

/** In the order in which CUDA counts them. */
function visibleUuids({ cards }: CudaReport): readonly string[] {
  const numbered = cards.map(({ cuda_number: number, uuid }) => [number ?? -1, uuid] as const);
  return numbered
    .filter(([number]) => number >= 0)
    .sort(([a], [b]) => a - b)
    .map(([, uuid]) => uuid);
}
