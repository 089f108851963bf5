import { isPilUpscaler } from '../processing/upscale/upscalers.ts';
import type { Task } from './protocol.ts';

/**
 * Names the network that a task has to load, as far as its options say: tasks of one name may have the same worker one after another.
 * What AUTO comes to depends on the picture, and is seen by the worker. Undefined where no network runs.
 */
export function modelWanted(task: Task): string | undefined {
  if (task.kind === 'download') return undefined;
  if (task.kind === 'hires-fix') {
    const { upscaler, denoise_strength: strength } = task.options;
    return upscalersWanted(task.modelFile === undefined ? [[upscaler, strength]] : [[task.modelFile]], task.options);
  }
  if (task.kind === 'preview') {
    const { upscalers, options } = task;
    return upscalersWanted(
      upscalers.map((upscaler) => [upscaler, options.denoise_strength]),
      options,
    );
  }
  if (task.kind === 'extras') {
    const { first, second } = task.options;
    const named = second ? [first, second] : [first];
    return upscalersWanted(named.map(({ upscaler, denoiseStrength }) => [upscaler, denoiseStrength]));
  }
  if (task.kind === 'restore') {
    const { colorize_model: model, render_factor: factor, device } = task.options;
    return JSON.stringify([task.steps, model, factor, device]);
  }
  return task.kind;
}

function upscalersWanted(
  upscalers: readonly (readonly unknown[])[],
  { device, precision }: { readonly device?: unknown; readonly precision?: unknown } = {},
): string | undefined {
  if (upscalers.every(([name]) => isPilUpscaler(String(name)))) return undefined;
  return JSON.stringify([upscalers, device, precision]);
}
