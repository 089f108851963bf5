import type { Value } from '../../onnx/value.ts';

/** How much noise a picture is taken to have where nobody says (`sigma`), in levels of 255: the references' own. */
export const NOISE_LEVEL = 15;

/** A further channel that says everywhere how much noise there is: `sigma` [1], a standard deviation in levels of 255. */
export function withNoiseMap(image: Value, sigma: Value = image.graph.constant([NOISE_LEVEL])): Value {
  const map = image
    .slice(1, 0, 1)
    .scale(0)
    .add(sigma.scale(1 / 255));
  return image.concat([map]);
}
