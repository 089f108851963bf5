import { toLinear } from '../srgb.ts';

/** Rows X / white, Y, Z / white of linear R, G, B: sRGB's primaries, D65. */
const WHITE_X = 0.950456;
const WHITE_Z = 1.088754;
const NORMAL_XYZ_OF_RGB = [
  [0.412453 / WHITE_X, 0.35758 / WHITE_X, 0.180423 / WHITE_X],
  [0.212671, 0.71516, 0.072169],
  [0.019334 / WHITE_Z, 0.119193 / WHITE_Z, 0.950227 / WHITE_Z],
] as const;

/** Samples and values in 1/16384 of their range; 33 nodes a side, and 16 places between two of them. */
const BASE = 1 << 14;
const NODES = 33;
const CELL_SHIFT = 9;
const PLACE_SHIFT = 5;
const PLACES = 16;
const WEIGHT_SHIFT = 12;

/** Steps from a node to the next one along R, G and B. */
const STEP_R = 3;
const STEP_G = STEP_R * NODES;
const STEP_B = STEP_G * NODES;

/**
 * The table by which OpenCV turns float RGB into Lab: a cube of 33 nodes a side between which it interpolates in sixteenths
 * (modules/imgproc/src/color_lab.cpp). Up to 0.17 in L and 0.25 in a and b from the formula.
 */
export class LabTable {
  static #shared: LabTable | undefined;
  readonly #nodes = new Int16Array(NODES ** 3 * 3);

  private constructor() {
    const light = Float64Array.from({ length: NODES }, (_, i) => toLinear(i / (NODES - 1)));
    for (let at = 0; at < NODES ** 3; at++) {
      const [r, g, b] = [at % NODES, Math.floor(at / NODES) % NODES, Math.floor(at / NODES ** 2)];
      this.#nodes.set(nodeOf(light[r] ?? 0, light[g] ?? 0, light[b] ?? 0), 3 * at);
    }
  }

  /** The table, made when it is first asked for. */
  static get(): LabTable {
    return (this.#shared ??= new LabTable());
  }

  /**
   * Looks up one pixel.
   * @param rgb three samples of 0..1 (clipped) at `from`
   * @param target gets the first `count` of L / 100, (a + 128) / 256, (b + 128) / 256, at `to`
   */
  lookUp(rgb: Float32Array, from: number, target: Float32Array, { to, count }: { to: number; count: number }): void {
    const r = quantised(rgb[from] ?? 0);
    const g = quantised(rgb[from + 1] ?? 0);
    const b = quantised(rgb[from + 2] ?? 0);
    const node = (r >> CELL_SHIFT) * STEP_R + (g >> CELL_SHIFT) * STEP_G + (b >> CELL_SHIFT) * STEP_B;
    const x = place(r);
    const y = place(g);
    const z = place(b);
    for (let i = 0; i < count; i++) {
      const near = this.#inSquare(node + i, x, y);
      const far = this.#inSquare(node + STEP_B + i, x, y);
      const sum = near * (PLACES - z) + far * z;
      target[to + i] = ((sum + (1 << (WEIGHT_SHIFT - 1))) >> WEIGHT_SHIFT) / BASE;
    }
  }

  /** Between four nodes of equal blue. Those beyond the table's edge have no weight. */
  #inSquare(node: number, x: number, y: number): number {
    const nodes = this.#nodes;
    const near = (nodes[node] ?? 0) * (PLACES - x) + (nodes[node + STEP_R] ?? 0) * x;
    const far = (nodes[node + STEP_G] ?? 0) * (PLACES - x) + (nodes[node + STEP_G + STEP_R] ?? 0) * x;
    return near * (PLACES - y) + far * y;
  }
}

/** L, a and b of linear light, in 1/16384 of their ranges. */
function nodeOf(r: number, g: number, b: number): [number, number, number] {
  const [x, y, z] = NORMAL_XYZ_OF_RGB.map(([ofR, ofG, ofB]) => ofR * r + ofG * g + ofB * b) as [number, number, number];
  const [fx, fy, fz] = [labCurve(x), labCurve(y), labCurve(z)];
  const values = [(116 * fy - 16) / 100, (500 * (fx - fy) + 128) / 256, (200 * (fy - fz) + 128) / 256];
  return values.map((value) => Math.round(value * BASE)) as [number, number, number];
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
