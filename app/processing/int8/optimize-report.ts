import { GATE, inWords, passesGate } from '../../quantization/fidelity.ts';
import type { CalibrationRecord } from '../networks/int8-calibration.ts';
import { calibrationFile, readRecord } from '../networks/int8-calibration.ts';

/** What `hiresfix models optimize` tells. Snake case: it is public JSON. */
export interface OptimizeReport extends CalibrationRecord {
  readonly file: string;
  readonly gate: typeof GATE;
  readonly passed: boolean;
  /** The measurement in words. */
  readonly fidelity: string;
}

/** Reads what a calibration says of itself. */
export async function optimizeReport(checkpoint: string): Promise<OptimizeReport> {
  const file = await calibrationFile(checkpoint);
  const record = readRecord(file);
  return { file, ...record, gate: GATE, passed: passesGate(record.measured), fidelity: inWords(record.measured) };
}
