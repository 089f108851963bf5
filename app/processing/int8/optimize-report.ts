import { failuresInWords, GATE, inWords, passesGate } from '../../quantization/fidelity.ts';
import type { CalibrationRecord } from '../networks/int8-calibration.ts';
import { calibrationFile, readRecord } from '../networks/int8-calibration.ts';

/** What `hiresfix models optimize` tells. Snake case: it is public JSON. */
export interface OptimizeReport extends CalibrationRecord {
  readonly file: string;
  readonly gate: typeof GATE;
  readonly passed: boolean;
  /** The measurement in words. */
  readonly fidelity: string;
  /** What of it is below the gate, in words; empty where it passed. */
  readonly failures: string;
}

/** Reads what a calibration says of itself. */
export async function optimizeReport(checkpoint: string): Promise<OptimizeReport> {
  const file = await calibrationFile(checkpoint);
  const record = readRecord(file);
  const { measured } = record;
  return {
    ...{ file, ...record, gate: GATE, passed: passesGate(measured) },
    ...{ fidelity: inWords(measured), failures: failuresInWords(measured) },
  };
}
