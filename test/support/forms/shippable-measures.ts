import type { OfficialRecipe } from '../../../app/processing/networks/official-recipes.ts';
import type { Fidelity } from '../../../app/quantization/fidelity.ts';
import { failuresInWords, passesGate } from '../../../app/quantization/fidelity.ts';

type Measures = OfficialRecipe['measured'];

/**
 * What a recipe that ships may say of itself: no form below the gate is shipped.
 * @returns the measures that passed, and which were left out, in words
 * @throws Error if the form of CPUs with 8-bit dot products did not pass
 */
export function shippableMeasures(measured: Readonly<Record<127, Fidelity> & Partial<Record<63, Fidelity>>>): {
  readonly measured: Measures;
  readonly told: string;
} {
  const { 127: exact, 63: narrow } = measured;
  if (!passesGate(exact)) throw new Error(`no recipe was written: ${failuresInWords(exact)}`);
  if (narrow === undefined) return { measured: { 127: exact }, told: '' };
  if (passesGate(narrow)) return { measured: { 127: exact, 63: narrow }, told: '' };
  return { measured: { 127: exact }, told: `weights to 63 were left out: ${failuresInWords(narrow)}` };
}

/** What is asked of `npm run bench:int8-fidelity`. */
export interface RecipeAsked {
  readonly name: string;
  readonly checkpoint: string;
  /** A folder. */
  readonly photos: string;
  readonly isNarrowMeasured: boolean;
}

export const USAGE = 'usage: npm run bench:int8-fidelity -- NAME CHECKPOINT PHOTOS [127|127,63]';

/** @returns undefined where the arguments are too few, too many or none of these */
export function recipeAsked(args: readonly string[]): RecipeAsked | undefined {
  const [name, checkpoint, photos, limits = '127,63', ...others] = args;
  if (!name || !checkpoint || !photos || others.length > 0 || name.startsWith('-')) return undefined;
  if (limits !== '127' && limits !== '127,63') return undefined;
  return { name, checkpoint, photos, isNarrowMeasured: limits.includes('63') };
}
