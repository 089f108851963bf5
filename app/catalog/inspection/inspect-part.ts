import { basename } from 'node:path';
import { InspectionError } from '../errors.ts';
import type { Inspect } from './remembered-inspections.ts';

/**
 * Opens a file that does not have its name yet.
 * @param name what it will be called
 * @throws InspectionError that calls it by that name, where it holds no network that is run; what `inspect` throws otherwise
 */
export async function inspectPart(inspect: Inspect, part: string, name: string): Promise<void> {
  try {
    await inspect(part);
  } catch (error) {
    if (!(error instanceof InspectionError)) throw error;
    const reason = error.message.replaceAll(part, name).replaceAll(basename(part), name);
    throw new InspectionError(reason, { cause: error });
  }
}
