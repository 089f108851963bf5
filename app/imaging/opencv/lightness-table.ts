import { toLinear } from '../srgb.ts';

/** Y of linear R, G, B: sRGB's primaries, D65. */
const Y_OF_RGB = [0.212671, 0.71516, 0.072169] as const;

/** Samples and values in 1/16384 of their range; 33 nodes a side, and 16 places between two of them. */
const BASE = 1 << 14;
const NODES = 33;
const CELL_SHIFT = 9;
const PLACE_SHIFT = 5;
const PLACES = 16;
const WEIGHT_SHIFT = 12;

/** Steps from a node to the next one along R, G and B. */
const STEP_R = 1;
const STEP_G = STEP_R * NODES;
const STEP_B = STEP_G * NODES;

/**
 * The table by which OpenCV turns float RGB into the L of Lab: a cube of 33 nodes a side between which it interpolates in sixteenths
 * (modules/imgproc/src/color_lab.cpp). Up to 0.17 from the formula.
 */
export class LightnessTable {
  static #shared: LightnessTable | undefined;
  readonly #nodes = new Int16Array(NODES ** 3);

  private constructor() {
    const light = Float64Array.from({ length: NODES }, (_, i) => toLinear(i / (NODES - 1)));
    for (let at = 0; at < NODES ** 3; at++) {
      const [r, g, b] = [at % NODES, Math.floor(at / NODES) % NODES, Math.floor(at / NODES ** 2)];
      this.#nodes[at] = nodeOf(light[r] ?? 0, light[g] ?? 0, light[b] ?? 0);
    }
  }

  /** The table, made when it is first asked for. */
  static get(): LightnessTable {
    return (this.#shared ??= new LightnessTable());
  }

  /** L / 100 of the pixel whose three samples of 0..1 (clipped) stand at `from`. */
  lookUp(rgb: Float32Array, from: number): number {
    const r = quantised(rgb[from] ?? 0);
    const g = quantised(rgb[from + 1] ?? 0);
    const b = quantised(rgb[from + 2] ?? 0);
    const node = (r >> CELL_SHIFT) * STEP_R + (g >> CELL_SHIFT) * STEP_G + (b >> CELL_SHIFT) * STEP_B;
    const x = place(r);
    const y = place(g);
    const z = place(b);
    const sum = this.#inSquare(node, x, y) * (PLACES - z) + this.#inSquare(node + STEP_B, x, y) * z;
    return ((sum + (1 << (WEIGHT_SHIFT - 1))) >> WEIGHT_SHIFT) / BASE;
  }

  /** Between four nodes of equal blue. Those beyond the table's edge have no weight. */
  #inSquare(node: number, x: number, y: number): number {
    const nodes = this.#nodes;
    const near = (nodes[node] ?? 0) * (PLACES - x) + (nodes[node + STEP_R] ?? 0) * x;
    const far = (nodes[node + STEP_G] ?? 0) * (PLACES - x) + (nodes[node + STEP_G + STEP_R] ?? 0) * x;
    return near * (PLACES - y) + far * y;
  }
}

/** L of linear light, in 1/16384 of its range. */
function nodeOf(r: number, g: number, b: number): number {
  const [ofR, ofG, ofB] = Y_OF_RGB;
  return Math.round(((116 * labCurve(ofR * r + ofG * g + ofB * b) - 16) / 100) * BASE);
}

/** CIE's f: a cube root, with a line for the dark. */
function labCurve(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : (841 / 108) * t + 16 / 116;
}

function quantised(sample: number): number {
  return Math.round(Math.max(0, Math.min(sample, 1)) * BASE);
}

function place(sample: number): number {
  return (sample >> PLACE_SHIFT) & (PLACES - 1);
}
