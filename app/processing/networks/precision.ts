import type { SessionDevice } from '../../inference/devices.ts';
import { failuresInWords, inWords, passesGate } from '../../quantization/fidelity.ts';
import type { Int8Numbers } from '../../quantization/int8-numbers.ts';
import type { Calibration } from './int8-calibration.ts';
import { findCalibration } from './int8-calibration.ts';
import type { ResultInfo } from '../result.ts';
import type { Precision } from '../../options/upscale-options.ts';
import { officialForm } from './official-form.ts';
import { weightLimit } from './weight-limit.ts';

/** In what numbers a network is to run on a device; where they cannot be had there, it runs in fp32. */
export interface PrecisionPlan {
  readonly asked: Precision;
  /** Of the int8 form, where it is to be used on the CPU. */
  readonly int8?: Int8Numbers | undefined;
  /** What that form loses, in words. */
  readonly fidelity?: string;
  /** What it runs in whatever is asked: of a network whose graph is not ours. */
  readonly own?: 'fp32' | 'fp16';
  /** Whether the network holds fp16: then `auto` takes it where that is faster. */
  readonly holdsHalf?: boolean | undefined;
  /** fp16 was tried, and had values that are not numbers. */
  readonly isWidened?: boolean | undefined;
  /** That the CPU is to run fp16 too, which it does by casting back and forth: to try it without a GPU. */
  readonly isHalfOnCpu?: boolean;
  /** Why int8 is not used, or what is to be known of it where it is. */
  readonly reason?: string | undefined;
}

/** Why a network whose graph is not ours runs in no others. */
export const OWN_NUMBERS = 'an ONNX model runs in the numbers that it was exported in';

/** Why an image was run again. */
const TOO_NARROW = 'in fp16 it produced values that are not numbers';

export const FP32: PrecisionPlan = { asked: 'fp32' };

/** What is read of a checkpoint to choose its precision. */
export interface PrecisionQuery {
  readonly asked: Precision;
  readonly checkpoint: string;
  readonly sha256: string;
  /** Where the network is to run: asked again where another takes its place. */
  readonly device: SessionDevice;
  /** Why there can be no int8 form, if there is a reason. */
  readonly refusal?: string | undefined;
  readonly holdsHalf?: boolean | undefined;
}

/**
 * `auto` takes an int8 form that passed its gate: the user's own calibration, else what ships for official models. Who asks for int8
 * by name gets one that did not pass, and is told.
 */
export async function choosePrecision({
  asked,
  checkpoint,
  sha256,
  device,
  refusal,
  holdsHalf,
}: PrecisionQuery): Promise<PrecisionPlan> {
  if (asked === 'fp32' || asked === 'fp16') return { asked };
  const plan = { asked, holdsHalf };
  if (refusal !== undefined) return { ...plan, reason: refusal };
  const limit = await weightLimit();
  const own = await findCalibration(checkpoint, sha256);
  const isOwnGood = typeof own !== 'string' && problemOf(own, limit) === undefined;
  const isMade = !isOwnGood && (asked === 'int8' || device === 'cpu'); // a GPU has no use for what takes seconds to make
  const shipped = isMade ? officialForm({ checkpoint, sha256, limit }) : undefined;
  const isShippedGood = shipped !== undefined && problemOf(shipped, limit) === undefined;
  const found = isShippedGood || typeof own === 'string' ? (shipped ?? own) : own;
  if (typeof found === 'string') return { ...plan, reason: found };
  const problem = problemOf(found, limit);
  if (asked === 'auto' && problem !== undefined) return { ...plan, reason: problem };
  return { ...plan, int8: found.numbers, reason: problem, fidelity: inWords(found.record.measured) };
}

/** Why `auto` does not take a calibration. */
function problemOf({ record }: Calibration, limit: number): string | undefined {
  if (!passesGate(record.measured)) return `its int8 form is below the gate: ${failuresInWords(record.measured)}`;
  if (record.weight_limit <= limit) return undefined;
  return 'its int8 form was made for CPUs with 8-bit dot products, which this one has not; hiresfix models optimize makes another here';
}

/** Numbers that a network runs in on a device. */
export function precisionOn(device: SessionDevice, plan: PrecisionPlan): 'fp32' | 'fp16' | 'int8' {
  const { asked, int8, own, holdsHalf, isWidened, isHalfOnCpu } = plan;
  if (own) return own;
  if (isWidened) return 'fp32';
  if (device === 'cpu' && !isHalfOnCpu) return int8 ? 'int8' : 'fp32';
  // Only CUDA is known to gain by it.
  return asked === 'fp16' || (asked === 'auto' && holdsHalf && device !== 'mps') ? 'fp16' : 'fp32';
}

/** What a result says of its precision; a wish that was not granted is a warning. */
export function describePrecision(
  plan: PrecisionPlan,
  device: SessionDevice,
): Pick<ResultInfo, 'precision_asked' | 'precision' | 'precision_reason' | 'precision_fidelity'> & {
  readonly warnings: readonly string[];
} {
  const used = precisionOn(device, plan);
  const isGranted = plan.asked === 'auto' || plan.asked === used;
  const reason = reasonOf(plan, used, device);
  const told = {
    precision_asked: plan.asked,
    precision: used,
    ...(reason !== undefined && { precision_reason: reason }),
    ...(used === 'int8' && plan.fidelity !== undefined && { precision_fidelity: plan.fidelity }),
  };
  if (plan.isWidened && reason !== undefined)
    return { ...told, warnings: [`fp32 was used instead of fp16: ${reason}`] };
  if (plan.asked === 'auto' || reason === undefined) return { ...told, warnings: [] };
  return {
    ...told,
    warnings: [isGranted ? `${used} was used: ${reason}` : `${used} was used instead of ${plan.asked}: ${reason}`],
  };
}

function reasonOf(plan: PrecisionPlan, used: string, device: SessionDevice): string | undefined {
  const { asked, int8, own, isWidened, reason } = plan;
  if (own && asked !== own) return OWN_NUMBERS;
  if (isWidened) return TOO_NARROW;
  if (asked === 'fp16' && used !== 'fp16') return 'fp16 is for GPUs';
  if (asked === 'auto' && used === 'fp16') return undefined;
  if (int8 && used !== 'int8') return `int8 is for CPUs, and this ran on ${device}`;
  return reason;
}
