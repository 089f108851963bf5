import type { Image } from '../../imaging/image.ts';
import type { RowSource } from '../../imaging/rows.ts';
import { rowsOf } from '../../imaging/rows.ts';
import { ScratchImage } from '../../imaging/scratch-image.ts';
import { visibleRows } from '../../imaging/visible-colors.ts';
import type { StageClock } from '../stage-clock.ts';
import { neededByPass } from './needed-part.ts';
import { passesFor, shapesByPass, viewsFor } from './passes.ts';
import type { RealESRGANUpscaler, TilingUsed } from './real-esrgan-upscaler.ts';
import { toExactSize } from './resize-picture.ts';
import { growth } from './target-size.ts';
import type { TilingOptions } from './tile-grid.ts';
import { pixelsSeen } from './tile-grid.ts';
import type { UpscalePlan, UpscaleTask } from './upscale-plan.ts';

/** A plan that a network carries out. */
export type NetworkUpscale = UpscalePlan & { readonly network: RealESRGANUpscaler };

/** What passes are run by. */
interface PassParts {
  readonly task: UpscaleTask;
  readonly clock: StageClock;
  /** How each pass is cut, before what is needed of it is known. */
  readonly cut: TilingOptions;
}

/** What the passes have made, and how they were cut. */
interface PassesRun {
  readonly image: ScratchImage;
  readonly info: TilingUsed & { readonly passes: number };
}

/** One or two passes of the network, then to the exact size by LANCZOS. */
export async function runPasses(image: Image, plan: NetworkUpscale, parts: PassParts): Promise<PassesRun> {
  const { network, part } = plan;
  const { task, clock, cut } = parts;
  let source: RowSource | ScratchImage = cut.tilePad === 'auto' ? visibleRows(rowsOf(image)) : rowsOf(image);
  // What a part needs depends on the tiles, and these on the device that is to be had.
  const [first] = part ? tilingsOf(image, plan, parts) : [];
  const whole = source;
  if (first) await clock.time('load', () => network.load(whole, first));
  const tilings = tilingsOf(image, plan, parts);
  const passes = tilings.length;
  let used: TilingUsed | undefined;
  for (const [pass, tiling] of tilings.entries()) {
    const input: RowSource = source;
    await clock.time('load', async () => {
      clock.at('loading', 0);
      const { tile } = await network.load(input, tiling);
      clock.at('loading', 1);
      task.onRunning({ device: network.device, tile, side: Math.max(input.width, input.height) });
    });
    const result = await clock.time('upscale', () =>
      network.upscale(input, task.scratch, tiling, (tile, tiles, made) =>
        clock.at('upscaling', (pass + tile / tiles) / passes, { tile, tiles }, made),
      ),
    );
    if (source instanceof ScratchImage) source.dispose();
    source = result.image;
    used = used ? { ...used, tiles: used.tiles + result.used.tiles } : result.used;
  }
  if (!(source instanceof ScratchImage) || !used) throw new RangeError('a network runs at least once');
  const place = { folder: task.scratch, clock, alphaOf: network.settlesAlpha(cut) ? image : undefined };
  return { image: await toExactSize(source, plan, place), info: { ...used, passes } };
}

/** How each pass is cut, and what of it is needed where only a part of the result is. */
function tilingsOf(
  image: Image,
  { name, size, part, network }: NetworkUpscale,
  { task, cut }: PassParts,
): readonly TilingOptions[] {
  const shapes = shapesByPass(network.tiling, image, passesFor(network.scale, growth(image, size)));
  const seen = shapes.map((shape) => pixelsSeen(network.tiling, shape, cut));
  const tilings = seen.map((pixels) => ({ ...cut, views: viewsFor(name, pixels, task.options, cut) }));
  if (!part) return tilings;
  const needed = neededByPass(network, shapes, tilings, { whole: size, region: part });
  return tilings.map((tiling, pass) => ({ ...tiling, needed: needed[pass] }));
}
