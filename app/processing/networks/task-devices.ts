import type { Config } from '../../config.ts';
import type { SessionDevice } from '../../inference/devices.ts';
import { deviceLadder } from '../../inference/devices.ts';
import { installedDevices } from '../../inference/runtime-files.ts';
import type { Rung } from '../tasks.ts';
import type { Device } from '../../options/upscale-options.ts';

/** The devices that a task's networks are tried on, best first. */
export function taskDevices(
  config: Pick<Config, 'forceCpu' | 'device'>,
  task: Pick<Rung, 'excludedDevices'> & { readonly options: { readonly device?: Device | undefined } },
): SessionDevice[] {
  if (config.forceCpu) return ['cpu'];
  return deviceLadder(task.options.device ?? config.device, installedDevices(), task.excludedDevices);
}
