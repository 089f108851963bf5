import type { InterpolationKernel } from '../../../app/imaging/opencv/interpolate.ts';

/** OpenCV's INTER_CUBIC: a third kernel for the interpolation, and what some goldens enlarged their background with. */
export const CUBIC: InterpolationKernel = {
  support: 2,
  weight(distance) {
    const [a, x] = [-0.75, Math.abs(distance)];
    return x < 1 ? (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1 : a * (x ** 3 - 5 * x ** 2 + 8 * x - 4);
  },
};
