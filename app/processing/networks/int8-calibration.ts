import { randomUUID } from 'node:crypto';
import { access, constants, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { syncFile, syncParent } from '../../files/durable-file.ts';
import { CheckpointError } from '../../checkpoints/errors.ts';
import { openCheckpoint } from '../../checkpoints/open-checkpoint.ts';
import { readSafetensorsMetadata } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/safetensors-writer.ts';
import { WeightsError } from '../../onnx/errors.ts';
import { CalibrationFolderError } from '../../quantization/errors.ts';
import type { Int8Numbers } from '../../quantization/int8-numbers.ts';
import type { Int8Tensors } from '../../quantization/int8-model.ts';
import { numbersInFile } from '../../quantization/int8-model.ts';

/** The figures of `Fidelity`. */
export const fidelitySchema = z.object({
  pairs: z.int(),
  psnr_change_mean: z.number(),
  psnr_change_worst: z.number(),
  ssim_change_mean: z.number(),
  ssim_change_worst: z.number(),
  ssim_to_fp32_mean: z.number(),
  ssim_to_fp32_worst: z.number(),
  psnr_to_fp32_mean: z.number(),
  seam: z.number(),
});

const recordSchema = z.object({
  version: z.literal(2),
  /** Of the checkpoint that it is made for. */
  weights_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Largest magnitude of an 8-bit weight: 63 where it was made on a CPU whose 16-bit sums would overflow with more. */
  weight_limit: z.union([z.literal(63), z.literal(127)]),
  calibrated_on: z.object({ source: z.enum(['scenes', 'images']), crops: z.int() }),
  measured: fidelitySchema,
});

/** What a calibration says of itself. Snake case: it is public JSON. */
export type CalibrationRecord = Readonly<z.infer<typeof recordSchema>>;

/** The int8 form of a checkpoint's network: what is known of it, and its numbers. */
export interface Calibration {
  readonly record: CalibrationRecord;
  readonly numbers: Int8Numbers;
}

/** The name under which a calibration's record lies in the header of its file. */
const RECORD = 'hiresfix';

/** A `.safetensors` beside the checkpoint, links resolved: the runtime reads both from one folder. */
export async function calibrationFile(checkpoint: string): Promise<string> {
  return `${await realpath(checkpoint)}.int8`;
}

/**
 * The calibration that lies beside a checkpoint.
 * @param sha256 of the checkpoint
 * @returns in words, why there is none that can be used
 */
export async function findCalibration(checkpoint: string, sha256: string): Promise<Calibration | string> {
  const file = await calibrationFile(checkpoint);
  try {
    await access(file);
  } catch {
    return 'there is no int8 calibration of these weights (hiresfix models optimize makes one)';
  }
  const again = 'hiresfix models optimize makes a new one';
  try {
    const record = readRecord(file);
    if (record.weights_sha256 !== sha256) return `the int8 calibration was made for other weights; ${again}`;
    return { record, numbers: numbersInFile(openCheckpoint(file)) };
  } catch (error) {
    const isUnusable = [CheckpointError, WeightsError, SyntaxError, z.ZodError].some((kind) => error instanceof kind);
    if (!isUnusable) throw error;
    return `the int8 calibration ${file} cannot be read; ${again}`;
  }
}

/** What a calibration's file says of itself. @throws CheckpointError, SyntaxError, ZodError where it is none */
export function readRecord(file: string): CalibrationRecord {
  return recordSchema.parse(JSON.parse(readSafetensorsMetadata(file).get(RECORD) ?? '{}'));
}

/** @throws CalibrationFolderError where nothing can be written beside the checkpoint */
export async function assertWritable(checkpoint: string): Promise<void> {
  const folder = dirname(await realpath(checkpoint));
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw folderError(folder, cause);
  });
}

/**
 * Writes a calibration beside its checkpoint, in the place of an older one; a crash leaves the old one or the new one.
 * @returns its file
 * @throws CalibrationFolderError
 */
export async function saveCalibration(
  checkpoint: string,
  tensors: Int8Tensors,
  record: CalibrationRecord,
): Promise<string> {
  const file = await calibrationFile(checkpoint);
  const partial = `${file}.${randomUUID()}.tmp`;
  try {
    writeSafetensors(partial, tensors, { [RECORD]: JSON.stringify(record) });
    await syncFile(partial);
    await rename(partial, file);
    await syncParent(file);
    return file;
  } catch (error) {
    await rm(partial, { force: true });
    throw folderError(dirname(file), error);
  }
}

function folderError(folder: string, cause: unknown): CalibrationFolderError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new CalibrationFolderError(
    `the calibration lies beside the weights, and ${folder} cannot be written to (${detail}); copy the weights to a folder that can`,
    { cause },
  );
}
