import { int8RefusalOf } from '../../architectures/architecture.ts';
import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import type { Config } from '../../config.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import type { UpscaleOptions } from '../../options/upscale-options.ts';
import { deviceMemory } from '../networks/device-memory.ts';
import { fileStamps } from '../networks/file-stamps.ts';
import type { ModelSlot } from '../networks/model-slot.ts';
import type { PictureNetwork } from '../networks/network-runner.ts';
import { choosePrecision } from '../networks/precision.ts';
import { taskDevices } from '../networks/task-devices.ts';
import type { ModelFiles } from './picture-source.ts';
import { RealESRGANUpscaler } from './real-esrgan-upscaler.ts';
import { tilingOf } from './tile-grid.ts';

/** What an upscaler is opened by. */
export type HoldConfig = Pick<
  Config,
  'device' | 'forceCpu' | 'gpuMemoryBytes' | 'precision' | 'tile' | 'tilePad' | 'workersPerCard'
>;

/** Where upscalers are held, and who knows their weights. */
interface HoldParts {
  readonly config: HoldConfig;
  readonly catalog: Pick<ModelCatalog, 'sha256'>;
  readonly slot: ModelSlot;
}

/** What of a task another upscaler is opened for. */
interface HoldTask {
  readonly options: UpscaleOptions;
  readonly excludedDevices: readonly string[];
  readonly isBatch: boolean;
}

/** The upscaler of some files as a task wants it: the one that is held, where it was opened alike, else a new one. */
export async function holdUpscaler(
  files: ModelFiles,
  task: HoldTask,
  { config, catalog, slot }: HoldParts,
): Promise<RealESRGANUpscaler> {
  const asked = task.options.precision ?? config.precision;
  const devices = taskDevices(config, task);
  const { isBatch } = task;
  const options = {
    devices,
    isBatch,
    choosePrecision: async (network: PictureNetwork, device: SessionDevice) =>
      choosePrecision({
        asked,
        checkpoint: files.file,
        sha256: await catalog.sha256(files.file),
        device,
        holdsHalf: network.holdsHalf,
        refusal: int8RefusalOf(network) ?? (files.blend && 'blended weights have no int8 form'),
      }),
  };
  const isCutByMemory = devices[0] !== 'cpu' && tilingOf(task.options, config).tile === 'auto';
  const stamps = await Promise.all([files.file, files.blend?.file].map(async (file) => file && fileStamps(file)));
  const key = JSON.stringify([files, stamps, devices, isBatch, asked, isCutByMemory]);
  return slot.hold(key, async () => {
    const memory = isCutByMemory && { memory: await deviceMemory(config, devices) };
    return RealESRGANUpscaler.open(files, { ...options, ...memory });
  });
}
