import { execFile } from 'node:child_process';

/** A graphics card of NVIDIA's, as `nvidia-smi` tells of it. */
export interface Card {
  /** Its place on the bus, from 0. */
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** In MiB; null where the driver does not say. */
  readonly totalMib: number | null;
  readonly freeMib: number | null;
  /** Version of the driver. */
  readonly driver: string;
}

const PROGRAM = 'nvidia-smi';
const FIELDS = ['index', 'uuid', 'name', 'memory.total', 'memory.free', 'driver_version'];
const ARGUMENTS = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
/** A driver that is not loaded yet takes seconds to answer. */
const LIMIT_MS = 10_000;

/** All cards of this machine, whatever CUDA may use of them; none where there is no `nvidia-smi` that answers. */
export async function listCards(env: NodeJS.ProcessEnv = process.env): Promise<readonly Card[]> {
  const text = await new Promise<string>((resolve) => {
    const options = { env, timeout: LIMIT_MS, killSignal: 'SIGKILL', windowsHide: true } as const;
    execFile(PROGRAM, ARGUMENTS, options, (error, stdout) => resolve(error ? '' : stdout));
  });
  return text.split('\n').flatMap(cardOf);
}

/** @param line as `0, GPU-5a.., NVIDIA H100, 81559, 80994, 580.95.05` */
function cardOf(line: string): Card[] {
  const [index = '', uuid = '', name = '', total = '', free = '', driver = ''] = line
    .split(',')
    .map((part) => part.trim());
  if (!/^\d+$/.test(index) || driver === '') return [];
  return [{ index: Number(index), uuid, name, totalMib: mebibytes(total), freeMib: mebibytes(free), driver }];
}

/** Cards that share the machine's memory say `[N/A]`. */
function mebibytes(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

/**
 * What CUDA may use, in the order in which it counts it: entries of `CUDA_VISIBLE_DEVICES`, an index or (the beginning of) a UUID each, as
 * far as the first that names no card; all cards, where that is not set. CUDA counts as `nvidia-smi` does where
 * `CUDA_DEVICE_ORDER` is `PCI_BUS_ID`, which workers are started with.
 */
export function visibleCards(cards: readonly Card[], visible = process.env['CUDA_VISIBLE_DEVICES']): readonly Card[] {
  if (visible === undefined) return cards;
  const named = visible.split(',').map((entry) => cardNamed(cards, entry.trim()));
  const end = named.indexOf(undefined);
  return named.slice(0, end < 0 ? named.length : end).filter((card) => card !== undefined);
}

function cardNamed(cards: readonly Card[], entry: string): Card | undefined {
  if (/^\d+$/.test(entry)) return cards.find(({ index }) => index === Number(entry));
  return entry.startsWith('GPU-') ? cards.find(({ uuid }) => uuid.startsWith(entry)) : undefined;
}
