import { deviceMemory } from '../device-memory.ts';
import { taskDevices } from '../task-devices.ts';
import { rehearsalOn } from './rehearsal.ts';

/**
 * Starts the GPU that a task's networks will be tried on first, so that it is there when the picture is decoded and the weights are
 * read. Nothing where that is the CPU, or CoreML, which has no start of its own.
 */
export function startDevice(
  config: Parameters<typeof taskDevices>[0] & Parameters<typeof deviceMemory>[0],
  task: Parameters<typeof taskDevices>[1],
): void {
  const devices = taskDevices(config, task);
  if (devices[0] !== 'cuda') return;
  void deviceMemory(config, devices); // what is free is asked once, and best before anything of it is taken
  rehearsalOn('cuda');
}
