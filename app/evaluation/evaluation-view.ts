import type { FileScore, Score } from './evaluate-files.ts';
import { meanScore } from './evaluate-files.ts';

/** JSON has no infinity: `null` is the PSNR of equal images. */
export interface ScoreView {
  readonly psnr: number | null;
  readonly ssim: number;
}

/** A pair that could not be compared. */
export interface FailedPair {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** What `evaluate --json` prints and `report.json` holds. The figures at the top are the means. */
export interface EvaluationView extends ScoreView {
  readonly mean: ScoreView;
  readonly files: readonly (ScoreView &
    Record<'name' | 'reference' | 'candidate', string> &
    Record<'width' | 'height', number>)[];
  readonly failed: readonly FailedPair[];
  readonly crop_border: number;
  readonly is_y_channel: boolean;
}

/** At least one score. */
export function evaluationView(
  scores: readonly FileScore[],
  failed: readonly FailedPair[],
  { cropBorder, isLumaOnly }: { readonly cropBorder: number; readonly isLumaOnly: boolean },
): EvaluationView {
  const mean = scoreView(meanScore(scores));
  return {
    ...mean,
    mean,
    files: scores.map((score) => ({ ...score, ...scoreView(score) })),
    failed,
    crop_border: cropBorder,
    is_y_channel: isLumaOnly,
  };
}

function scoreView({ psnr, ssim }: Score): ScoreView {
  return { psnr: Number.isFinite(psnr) ? psnr : null, ssim };
}
