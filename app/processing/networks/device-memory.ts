import type { Config } from '../../config.ts';
import type { Card } from '../../inference/cards.ts';
import { listCards, visibleCards } from '../../inference/cards.ts';
import type { SessionDevice } from '../../inference/devices.ts';

/** What one tile's activations may take on a device, in bytes; undefined where nobody knows, as of the CPU. */
export type DeviceMemory = (device: SessionDevice) => number | undefined;

/** What is left is for weights, CUDA's own and what convolutions need beside. A guess on the safe side: no card has measured it. */
const SHARE = 0.6;
/** With more, a tensor could have 2^31 elements, which kernels count with 32 bits. */
const MAX_BYTES = 32e9;

const UNKNOWN: DeviceMemory = () => undefined;

/** Asked once for a process, before its networks take of it. */
let asked: Promise<Card | undefined> | undefined;

/**
 * What there is on the GPU among `devices`: as `GPU_MEMORY_MB` says, else what is free on the card that CUDA takes, of which each
 * of the workers on it gets its part.
 */
export async function deviceMemory(
  config: Pick<Config, 'gpuMemoryBytes' | 'workersPerCard'>,
  devices: readonly SessionDevice[],
): Promise<DeviceMemory> {
  const [first] = devices;
  if (first === undefined || first === 'cpu') return UNKNOWN;
  const free = config.gpuMemoryBytes ?? (first === 'cuda' ? await freeOnCard(config) : undefined);
  if (free === undefined) return UNKNOWN;
  const bytes = Math.min(MAX_BYTES, free * SHARE);
  return (device) => (device === 'cpu' ? undefined : bytes);
}

async function freeOnCard({ workersPerCard }: Pick<Config, 'workersPerCard'>): Promise<number | undefined> {
  asked ??= listCards().then((cards) => visibleCards(cards)[0]);
  const { freeMib = null, totalMib = null } = (await asked) ?? {};
  if (freeMib === null) return undefined;
  return Math.min(freeMib, (totalMib ?? freeMib) / workersPerCard) * 2 ** 20;
}
