import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConvStep } from '../../quantization/dense-block.ts';
import { convsOfHead } from '../../quantization/enlarging-head.ts';
import type { ReadWeights } from '../../quantization/folded-weights.ts';
import { convsOf } from '../../quantization/folded-weights.ts';
import type { Int8Parts } from '../../quantization/int8-graph.ts';
import { fidelitySchema } from './int8-calibration.ts';

const numbers = z.array(z.number()).readonly();

const recipeSchema = z.object({
  version: z.literal(1),
  /** The catalogue's name of the weights, and the sha256 that it has of them. */
  name: z.string(),
  sha256: z.string(),
  architecture: z.string(),
  calibrated_on: z.object({ source: z.enum(['scenes', 'images']), crops: z.int() }),
  /** By the largest magnitude of a weight: for CPUs with 8-bit dot products, and, where it was measured, for those without. */
  measured: z.object({ 127: fidelitySchema, 63: fidelitySchema.optional() }),
  /** A few weights of every convolution, by which these very weights are known, whatever file they lie in. */
  samples: z.array(numbers).readonly(),
  recipe: z.object({
    trunk: numbers,
    blocks: z
      .array(
        z.object({
          input: z.number(),
          output: z.number(),
          convs: z.array(numbers).readonly(),
          means: numbers,
          correlations: numbers,
        }),
      )
      .readonly(),
    head: z
      .array(z.object({ zero: z.number(), scales: numbers, means: numbers, correlations: numbers }))
      .readonly()
      .optional(),
  }),
});

/** How the int8 form of an official model is made of its weights: a file of `config/int8`. Snake case: it is JSON. */
export type OfficialRecipe = Readonly<z.infer<typeof recipeSchema>>;

/** A recipe, and the digest of its file: forms that were made by another are made anew. */
export interface ShippedRecipe extends OfficialRecipe {
  readonly digest: string;
}

const FOLDER = new URL('../../../config/int8/', import.meta.url);

/** All that the package has. */
export function officialRecipes(folder: URL = FOLDER): ShippedRecipe[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    return { ...recipeSchema.parse(JSON.parse(text)), digest };
  });
}

/** Weights of a convolution that are compared. */
const SAMPLES = 3;
/** fp16 keeps 11 bits, and small numbers in steps of 2^-24; copies of the official files that went through it are the same weights. */
const [RELATIVE, ABSOLUTE] = [2 ** -10, 2 ** -23];
const SAMPLE_DIGITS = 6;

/** What `isOf` compares: of every convolution that may be in 8 bits, in their order, a few weights, and its first bias. */
export function weightSamples(parts: Int8Parts, read: ReadWeights): number[][] {
  return convsOfParts(parts).map((conv) =>
    samplesOf(conv, read).map((value) => Number(value.toPrecision(SAMPLE_DIGITS))),
  );
}

function convsOfParts({ blocks, head }: Int8Parts): ConvStep[] {
  return [...blocks.flatMap(convsOf), ...(head ? convsOfHead(head) : [])];
}

/** Whether a recipe was made for these weights: the same, but for rounding to fp16. */
export function isOf({ samples }: Pick<OfficialRecipe, 'samples'>, parts: Int8Parts, read: ReadWeights): boolean {
  const convs = convsOfParts(parts);
  if (convs.length !== samples.length) return false;
  return convs.every((conv, index) => {
    const expected = samples[index] ?? [];
    const found = samplesOf(conv, read);
    return found.length === expected.length && found.every((value, at) => isNear(value, expected[at] ?? NaN));
  });
}

function samplesOf({ weight, bias }: ConvStep, read: ReadWeights): number[] {
  const values = read(weight.name);
  const places = Array.from({ length: SAMPLES }, (_, at) => Math.floor(((2 * at + 1) * values.length) / (2 * SAMPLES)));
  return [...places.map((place) => values[place] ?? 0), ...(bias ? [read(bias.name)[0] ?? 0] : [])];
}

function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= RELATIVE * Math.abs(expected) + ABSOLUTE;
}
