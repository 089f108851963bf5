import { tmpdir } from 'node:os';
import { Session } from '../../inference/session.ts';
import { PAIR_SUM_PROBE } from '../../quantization/pair-sum-probe.ts';

/** The largest magnitude that 8-bit weights may have here. The runtime itself is asked: it knows which kernels it takes. */
export async function weightLimit(): Promise<63 | 127> {
  const session = await Session.open(PAIR_SUM_PROBE.model(), { weightsFolder: tmpdir(), device: 'cpu' });
  const { sums } = await session.run({ pixels: PAIR_SUM_PROBE.pixels });
  await session.release();
  return PAIR_SUM_PROBE.isExact(sums?.data as Uint8Array) ? 127 : 63;
}
