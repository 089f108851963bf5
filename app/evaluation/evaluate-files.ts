import type { DecodedImage } from '../imaging/codec/codec.ts';
import { decodeImage } from '../imaging/codec/codec.ts';
import type { ComparisonOptions } from './compared-samples.ts';
import { comparedPair } from './compared-samples.ts';
import { NotComparableError } from './errors.ts';
import { psnr } from './psnr.ts';
import { ssim } from './ssim.ts';

/** Two files that show the same, and what they are called in results. */
export interface FilePair {
  readonly name: string;
  readonly reference: string;
  readonly candidate: string;
}

/** How alike two images are. */
export interface Score {
  /** In dB; `Infinity` for equal images. */
  readonly psnr: number;
  /** -1..1. */
  readonly ssim: number;
}

export interface FileScore extends FilePair, Score {
  /** Of what was compared, without the border that was left out. */
  readonly width: number;
  readonly height: number;
}

export interface EvaluationOptions extends ComparisonOptions {
  readonly maxPixels: number;
}

/**
 * Compares a candidate with its reference.
 * @throws NotComparableError, and what decoding throws; every message names the file
 */
export async function evaluateFiles(pair: FilePair, options: EvaluationOptions): Promise<FileScore> {
  const { reference, candidate } = await decodePair(pair, options.maxPixels);
  try {
    const compared = comparedPair(reference.image, candidate.image, options);
    const { width, height } = compared.reference;
    return { ...pair, width, height, psnr: psnr(compared), ssim: ssim(compared) };
  } catch (error) {
    if (error instanceof NotComparableError) throw new NotComparableError(`${pair.name}: ${error.message}`);
    throw error;
  }
}

/** Both images of a pair, upright. */
export async function decodePair(
  pair: FilePair,
  maxPixels: number,
): Promise<{ readonly reference: DecodedImage; readonly candidate: DecodedImage }> {
  const reference = await decodeImage(pair.reference, { maxPixels, name: pair.reference });
  return { reference, candidate: await decodeImage(pair.candidate, { maxPixels, name: pair.candidate }) };
}

/** The mean of each figure. One pair of equal images makes that of PSNR infinite, as it is. */
export function meanScore(scores: readonly Score[]): Score {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { psnr: mean(scores.map((score) => score.psnr)), ssim: mean(scores.map((score) => score.ssim)) };
}
