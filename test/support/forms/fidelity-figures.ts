import type { Fidelity } from '../../../app/quantization/fidelity.ts';

/** Of a form that passes the gate. */
export const GOOD_FIGURES: Fidelity = {
  pairs: 16,
  psnr_change_mean: -0.01,
  psnr_change_worst: -0.2,
  ssim_change_mean: -0.001,
  ssim_change_worst: -0.006,
  ssim_to_fp32_mean: 0.97,
  ssim_to_fp32_worst: 0.9,
  psnr_to_fp32_mean: 38,
  seam: 0.3,
};
