/** The orders that a `Transpose` puts the axes of a picture in: channels last, and channels before rows again. */
export const TO_NHWC: readonly number[] = [0, 2, 3, 1];
export const TO_NCHW: readonly number[] = [0, 3, 1, 2];
