import type { z } from 'zod';
import { expectation, readBy } from '../options/values.ts';
import { UsageError } from './errors.ts';

/** Flags that are spelt otherwise than the options of the service that they stand for. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  output_format: 'format',
  colorize_model: 'model',
  is_face_enhance: 'faceRestoration',
  face_upscale: 'upscale',
};

/** The flags of `names` that were given, as options of the service: `tilePad` is `tile_pad`. */
export function givenFlags(
  flags: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const named = names.map((name) => [optionOf(name), flags[name]] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** @throws UsageError which names the flag as it is typed, what was expected and what came */
export function parseOptions<T extends z.ZodType>(schema: T, values: Readonly<Record<string, unknown>>): z.output<T> {
  const parsed = readBy(schema, values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  const flag = FLAG_NAMES[name] ?? name.replaceAll('_', '-');
  throw new UsageError(`--${flag}: ${expectation(issue)}, got ${JSON.stringify(values[name])}`);
}

/** The flag that an option of the service has, as commander names it: `tile_pad` is `tilePad`. */
export function flagOf(option: string): string {
  return FLAG_NAMES[option] ?? option.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
}

function optionOf(flag: string): string {
  const renamed = Object.entries(FLAG_NAMES).find(([, name]) => name === flag);
  return renamed?.[0] ?? flag.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
