import type { Image } from '../../imaging/image.ts';
import { RandomNumbers } from './random-numbers.ts';

/** Kinds of scenes: what photographs, drawings and renderings are made of. */
const KINDS = [leaves, texture, shapes, gradients] as const;
type Color = readonly [number, number, number];

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly reach: number;
}

/**
 * A picture that nobody took: RGB, 8 bits, the same for the same number on every machine. Successive numbers alternate between
 * dead leaves (overlapping textured discs whose sizes follow a power law, as occlusion in photographs does), noise of
 * falling spectrum, flat shapes with outlines, and soft gradients, each with its own contrast, brightness and grain. No text.
 */
export function proceduralScene(number: number, side: number): Image {
  const random = new RandomNumbers(number + 1);
  const canvas = new Canvas(side);
  (KINDS[number % KINDS.length] ?? leaves)(canvas, random);
  return canvas.image(random);
}

/** Linear samples around 0..1; what lies beyond is clipped at the end. */
class Canvas {
  readonly side: number;
  readonly samples: Float64Array;

  constructor(side: number) {
    this.side = side;
    this.samples = new Float64Array(side * side * 3);
  }

  /** Sets every pixel for which `colorAt` has a colour; those within `reach` of a centre, or all. */
  paint(colorAt: (x: number, y: number) => Color | undefined, within?: Disc): void {
    const [fromX, toX] = this.#span(within?.x, within?.reach);
    const [fromY, toY] = this.#span(within?.y, within?.reach);
    for (let y = fromY; y < toY; y++) {
      for (let x = fromX; x < toX; x++) {
        const color = colorAt(x, y);
        if (color) this.samples.set(color, (y * this.side + x) * 3);
      }
    }
  }

  #span(centre = 0, reach = this.side): readonly [number, number] {
    return [Math.max(0, Math.floor(centre - reach)), Math.min(this.side, Math.ceil(centre + reach) + 1)];
  }

  /** Contrast from flat to harsh, some pictures dark and some bright, some with grain. */
  image(random: RandomNumbers): Image {
    const [contrast, brightness] = [random.between(0.6, 1.25), random.between(-0.15, 0.15)];
    const grain = random.next() < 0.4 ? random.between(0.005, 0.06) : 0;
    const data = Uint8Array.from(this.samples, (sample) => {
      const value = 0.5 + (sample - 0.5) * contrast + brightness + grain * random.normal();
      return Math.round(255 * Math.min(1, Math.max(0, value)));
    });
    return { width: this.side, height: this.side, channels: 3, depth: 8, data };
  }
}

function leaves(canvas: Canvas, random: RandomNumbers): void {
  const ground = noise(random, canvas.side, random.between(0.4, 0.7));
  const veins = noise(random, canvas.side, random.between(0.6, 1));
  const tone = color(random);
  canvas.paint((x, y) => shaded(tone, 0.3 * ground(x, y)));
  const [smallest, largest] = [1.5, canvas.side / 3];
  for (let count = 0; count < 260; count++) {
    // Radii r with a density of r^-3: as many edges at every distance.
    const share = random.next();
    const radius = 1 / Math.sqrt(share / smallest ** 2 + (1 - share) / largest ** 2);
    const [cx, cy] = [random.between(0, canvas.side), random.between(0, canvas.side)];
    const [turn, flat] = [random.between(0, Math.PI), random.between(0.35, 1)];
    const [leaf, strength, shift] = [color(random), random.between(0, 0.4), Math.floor(random.between(0, canvas.side))];
    canvas.paint(
      (x, y) => {
        const [dx, dy] = [x - cx, y - cy];
        const along = dx * Math.cos(turn) + dy * Math.sin(turn);
        const across = (dy * Math.cos(turn) - dx * Math.sin(turn)) / flat;
        return along ** 2 + across ** 2 < radius ** 2
          ? shaded(leaf, strength * veins((x + shift) % canvas.side, y))
          : undefined;
      },
      { x: cx, y: cy, reach: radius },
    );
  }
}

/** Grounds, walls, foliage: three fields of noise that are mostly one, and now and then a weave across them. */
function texture(canvas: Canvas, random: RandomNumbers): void {
  const roughness = random.between(0.5, 1);
  const fields = [0, 1, 2].map(() => noise(random, canvas.side, roughness));
  const [mean, spread, weave] = [color(random), random.between(0.1, 0.4), random.next() < 0.5 ? 0.15 : 0];
  const [fx, fy] = [random.between(-1.2, 1.2), random.between(-1.2, 1.2)];
  canvas.paint((x, y) => {
    const common = fields[0]?.(x, y) ?? 0;
    const ripple = weave * Math.sin(fx * x + fy * y);
    const sample = (channel: 0 | 1 | 2): number =>
      mean[channel] + spread * (0.85 * common + 0.15 * (fields[channel]?.(x, y) ?? 0)) + ripple;
    return [sample(0), sample(1), sample(2)];
  });
}

/** Drawings: flat polygons with dark outlines, and thin lines. */
function shapes(canvas: Canvas, random: RandomNumbers): void {
  const ground = color(random);
  canvas.paint(() => ground);
  for (let count = 0; count < 18; count++) {
    const [fill, outline] = [color(random), random.between(0, 3)];
    const [cx, cy] = [random.between(0, canvas.side), random.between(0, canvas.side)];
    const sides = Array.from({ length: 3 + Math.floor(random.between(0, 4)) }, () => {
      const angle = random.between(0, 2 * Math.PI);
      return [Math.cos(angle), Math.sin(angle), random.between(2, canvas.side / 4)] as const;
    });
    canvas.paint(
      (x, y) => {
        const inside = Math.min(...sides.map(([nx, ny, reach]) => reach - (x - cx) * nx - (y - cy) * ny));
        if (inside < 0 || Math.hypot(x - cx, y - cy) > canvas.side / 3) return undefined;
        return inside < outline ? [0.05, 0.05, 0.05] : fill;
      },
      { x: cx, y: cy, reach: canvas.side / 3 },
    );
    const [nx, ny] = [Math.cos(count), Math.sin(count)];
    const ink = color(random);
    canvas.paint((x, y) => (Math.abs((x - cx) * nx + (y - cy) * ny) < outline / 3 ? ink : undefined));
  }
}

/** Skies, skin, what is out of focus: a slope of one colour to another under soft spots of light. */
function gradients(canvas: Canvas, random: RandomNumbers): void {
  const [from, to, angle] = [color(random), color(random), random.between(0, 2 * Math.PI)];
  const spots = Array.from({ length: 6 }, () => ({
    x: random.between(0, canvas.side),
    y: random.between(0, canvas.side),
    width: random.between(0.05, 0.4) * canvas.side,
    light: random.between(-0.5, 0.5),
  }));
  canvas.paint((x, y) => {
    const share = 0.5 + (Math.cos(angle) * (x / canvas.side - 0.5) + Math.sin(angle) * (y / canvas.side - 0.5)) / 1.42;
    const light = spots.reduce((sum, spot) => {
      return sum + spot.light * Math.exp(-((x - spot.x) ** 2 + (y - spot.y) ** 2) / spot.width ** 2);
    }, 0);
    const sample = (channel: 0 | 1 | 2): number => from[channel] + share * (to[channel] - from[channel]) + light;
    return [sample(0), sample(1), sample(2)];
  });
}

/**
 * Smooth noise of mean 0 and about -1..1, in octaves from the side of the picture down to a pixel.
 * @param roughness amplitude of an octave over that of the one twice as large
 */
function noise(random: RandomNumbers, side: number, roughness: number): (x: number, y: number) => number {
  const octaves = Array.from({ length: Math.ceil(Math.log2(side)) }, (_, octave) => {
    const cells = 2 ** (octave + 1);
    return {
      cells,
      height: roughness ** octave,
      knots: Float64Array.from({ length: (cells + 1) ** 2 }, () => random.normal()),
    };
  });
  const total = Math.sqrt(octaves.reduce((sum, { height }) => sum + height ** 2, 0));
  return (x, y) =>
    octaves.reduce((sum, { cells, height, knots }) => {
      const [u, v] = [(x / side) * cells, (y / side) * cells];
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [right, below] = [smooth(u - left), smooth(v - top)];
      const knot = (dx: number, dy: number): number => knots[(top + dy) * (cells + 1) + left + dx] ?? 0;
      const upper = knot(0, 0) + right * (knot(1, 0) - knot(0, 0));
      const lower = knot(0, 1) + right * (knot(1, 1) - knot(0, 1));
      return sum + (height * (upper + below * (lower - upper))) / total;
    }, 0);
}

function smooth(share: number): number {
  return share * share * (3 - 2 * share);
}

/** Colours of things are mostly muted: shades of one brightness, some of them strong. */
function color(random: RandomNumbers): Color {
  const [light, strength] = [random.between(0.05, 0.95), random.next() ** 2];
  const channel = (): number => light + strength * random.between(-0.5, 0.5);
  return [channel(), channel(), channel()];
}

function shaded([r, g, b]: Color, light: number): Color {
  return [r + light, g + light, b + light];
}
