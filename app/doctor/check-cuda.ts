import type { Config } from '../config.ts';
import type { Card } from '../inference/cards.ts';
import { listCards, visibleCards } from '../inference/cards.ts';
import type { CudaProvider } from '../inference/cuda-provider.ts';
import { inspectCudaProvider } from '../inference/cuda-provider.ts';
import { runtimeVersion } from '../inference/runtime-files.ts';
import type { MissingLibrary } from './cuda-sources.ts';
import { sourceOfLibrary } from './cuda-sources.ts';
import type { Finding, Problem } from './finding.ts';

/** The way to CUDA, as far as it leads here. */
export interface CudaReport {
  /** The provider's file; null where it is not installed. */
  readonly provider: string | null;
  /** The CUDA that it was built for, as 12 or 13. */
  readonly cuda: number | null;
  readonly missing_libraries: readonly MissingLibrary[];
  /** As `nvidia-smi` lists them; none where it is not there. */
  readonly cards: readonly CardReport[];
}

/** A card, and whether CUDA may use it. Memory is in MiB, null where the driver does not say. */
export interface CardReport {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly driver: string;
  readonly memory_mib: number | null;
  readonly free_mib: number | null;
  /** The N by which DEVICE=cuda:N takes it; null where CUDA_VISIBLE_DEVICES hides it. */
  readonly cuda_number: number | null;
}

type CudaConfig = Pick<Config, 'card' | 'device' | 'forceCpu'>;

/** The first driver that CUDA 13 runs on. */
const CUDA_13_DRIVER = 580;

/** Cards, and what CUDA needs on them. On systems that it is not for, only what was asked counts. */
export async function checkCuda(
  config: CudaConfig,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finding<CudaReport>> {
  const [provider, cards] = [inspectCudaProvider(), await listCards(env)];
  const visible = visibleCards(cards, env['CUDA_VISIBLE_DEVICES']);
  const missing = provider.file === null ? [] : provider.missing;
  const found = {
    provider: provider.file,
    cuda: provider.cuda,
    missing_libraries: missing.map((name) => sourceOfLibrary(name, provider.cuda)),
    cards: cards.map((card) => cardReport(card, visible.indexOf(card))),
  };
  return { found, problems: problemsOf({ provider, cards, found, visible: visible.length, config }) };
}

interface Situation {
  readonly provider: CudaProvider;
  readonly cards: readonly Card[];
  readonly visible: number;
  readonly found: CudaReport;
  readonly config: CudaConfig;
}

function problemsOf({ provider, cards, visible, found, config }: Situation): readonly Problem[] {
  const isAsked = !config.forceCpu && config.device === 'cuda';
  const [card] = cards;
  if (provider.file === null) {
    if (!isAsked && !card) return [];
    const problem = `${card ? `${card.name}: it is not used, since the` : 'DEVICE=cuda: the'} CUDA provider of onnxruntime is not installed`;
    return [{ is_error: isAsked, problem, remedy: wayToProvider(card) }];
  }
  const isWanted = isAsked || (!config.forceCpu && config.device === 'auto'); // it was installed to be used
  const libraries = found.missing_libraries.map(({ name, source }) => ({
    is_error: isWanted,
    problem: `CUDA: ${name} is not found`,
    remedy: `it is part of ${source}; where the system does not look in its folder, LD_LIBRARY_PATH has to name it`,
  }));
  const unseen = {
    is_error: isAsked,
    problem: `CUDA may use ${visible} of ${cards.length} cards, none of them is number ${config.card ?? 0}`,
    remedy: `name a card that there is: they are counted from 0, of those in CUDA_VISIBLE_DEVICES where that is set`,
  };
  const isUnseen = cards.length > 0 && (config.card ?? 0) >= visible;
  return [...libraries, ...(isUnseen ? [unseen] : [])];
}

/** Which of the ways of docs/gpus.md leads to a card. */
function wayToProvider(card: Card | undefined): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'CUDA is for Linux on x64; use DEVICE=auto';
  const version = runtimeVersion();
  const cuda12 = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js';
  const cuda13 = `put the provider libraries of the wheel onnxruntime-gpu==${version} beside libonnxruntime.so.1`;
  const canCuda13 = Number.parseInt(card?.driver ?? '', 10) >= CUDA_13_DRIVER;
  if (!card) return `for CUDA 12: ${cuda12}; for CUDA 13: ${cuda13} (docs/gpus.md)`;
  if (!canCuda13) return `its driver, ${card.driver}, takes CUDA 12: ${cuda12} (docs/gpus.md)`;
  return `its driver, ${card.driver}, takes both. Where CUDA 13 is installed: ${cuda13}; where CUDA 12 is: ${cuda12} (docs/gpus.md)`;
}

/** @param number its place among those that CUDA may use; negative: it may not */
function cardReport({ index, uuid, name, driver, totalMib, freeMib }: Card, number: number): CardReport {
  const memory = { memory_mib: totalMib, free_mib: freeMib };
  return { index, uuid, name, driver, ...memory, cuda_number: number < 0 ? null : number };
}
