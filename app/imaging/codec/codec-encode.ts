import { renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sharp } from 'sharp';
import { sharp } from './codec-sharp.ts';
import type { OutputFormat } from '../../options/output-formats.ts';
import { holdsSize, OUTPUT_FORMAT_NAMES, traitsOf } from '../../options/output-formats.ts';
import { ENCODERS } from './encoders.ts';
import { OutputFormatError, ScratchSpaceError } from '../errors.ts';
import { editFile } from './file-edits.ts';
import type { ImageShape } from '../image.ts';
import type { OutputMetadata } from './metadata/output-metadata.ts';
import { eightBitRows } from './pixels/eight-bit-rows.ts';
import { rowsInto } from '../rows-into.ts';
import type { ScratchImage } from '../scratch-image.ts';
import { vipsWork } from './vips-work.ts';

/** What the quality of a format is that loses nothing. */
const LOSSLESS = 100;
const FULL_DISK_BYTES = 1 << 20;

/**
 * Refuses a result whose sides are longer than a format holds, with what to ask for.
 * @throws OutputFormatError
 */
export function assertHolds(format: OutputFormat, size: Pick<ImageShape, 'width' | 'height'>): void {
  if (holdsSize(format, size)) return;
  const others = OUTPUT_FORMAT_NAMES.filter((name) => traitsOf(name).quality === undefined && holdsSize(name, size));
  const remedy = [...(others.length > 0 ? [others.join(' or ')] : []), 'a smaller size'].join(', or ');
  throw new OutputFormatError(
    `the result is ${size.width}x${size.height}, ${format.toUpperCase()} holds sides of at most ${traitsOf(format).longestSide}; ask for ${remedy}`,
  );
}

/** What is written, and how: as `EncodeOptions`. */
interface Writing {
  readonly format: OutputFormat;
  readonly quality?: number | undefined;
  readonly lossless?: boolean | undefined;
  readonly isSourceLossless?: boolean | undefined;
  readonly metadata: OutputMetadata;
}

/**
 * Writes the file: libvips maps the scratch file and compresses it, then what libvips does not write is put in. The target
 * appears when it is complete.
 */
export async function writeImage(source: ScratchImage, target: string, options: Writing): Promise<void> {
  // sharp converts no gray of 16 bits.
  if (!options.metadata.isConvertedToSrgb || source.depth === 8) return write(source, target, options);
  const reduced = rowsInto(eightBitRows(source), dirname(source.file));
  try {
    await write(reduced, target, options);
  } finally {
    reduced.dispose();
  }
}

async function write(source: ScratchImage, target: string, options: Writing): Promise<void> {
  const { format, metadata } = options;
  const partial = `${target}.part`;
  source.attach(metadata, metadata.density);
  try {
    const hasRoom = (): boolean => !isDiskFull(dirname(target));
    await vipsWork(() => encoder(source, options).toFile(partial), hasRoom);
    editFile(partial, ENCODERS[format].edits(partial, metadata));
    renameSync(partial, target);
  } catch (cause) {
    const error = failure(target, format, cause); // looks at the disk as it was, so before the partial file goes
    rmSync(partial, { force: true });
    throw error;
  }
}

function encoder(
  source: ScratchImage,
  { format, quality, lossless, isSourceLossless = false, metadata }: Writing,
): Sharp {
  const standard = traitsOf(format).quality ?? LOSSLESS;
  return ENCODERS[format].encode(open(source, format, metadata), {
    shape: source,
    quality: quality ?? standard,
    isLossless: lossless ?? (quality === undefined ? isSourceLossless : quality === LOSSLESS),
    metadata,
  });
}

function open(source: ScratchImage, format: OutputFormat, metadata: OutputMetadata): Sharp {
  const { bits, holdsAlpha, holdsGray } = traitsOf(format);
  const isGray = source.channels < 3;
  const keeps16 = source.depth === 16 && bits > 8;
  const isSrgb = metadata.isConvertedToSrgb || (isGray && !holdsGray);
  const space = isGray && !isSrgb ? (keeps16 ? 'grey16' : 'b-w') : keeps16 ? 'rgb16' : 'srgb';
  let image = sharp(source.file, { limitInputPixels: false }).toColourspace(space).keepXmp();
  if (!metadata.isConvertedToSrgb) image = image.keepIccProfile();
  if (!holdsAlpha) image = image.flatten({ background: 'white' });
  return image;
}

function failure(target: string, format: OutputFormat, cause: unknown): Error {
  if (isDiskFull(dirname(target))) {
    return new ScratchSpaceError(`${target}: the disk is full; free some space and try again`, { cause });
  }
  const [detail = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  const said = detail.replaceAll(target, 'the file'); // a scratch file, whose place is nobody's business
  return new OutputFormatError(`the result could not be written as ${format.toUpperCase()} (${said})`, { cause });
}

function isDiskFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < FULL_DISK_BYTES;
  } catch {
    return false; // no such folder, which is what the message then says
  }
}
