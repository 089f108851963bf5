import type { Config } from '../config.ts';
import { listCards, visibleCards } from '../inference/cards.ts';

/** No card has this name, so none can be used. */
const NONE = '-1';

/**
 * The cards that workers are spread over, each as CUDA_VISIBLE_DEVICES names it: where several workers and several cards
 * are there, and `DEVICE` names none of them. Empty: workers may see all cards, and take the first.
 */
export async function cardsForWorkers(
  { device, card, forceCpu, workers }: Pick<Config, 'card' | 'device' | 'forceCpu' | 'workers'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly string[]> {
  const mayUseCuda = !forceCpu && ['auto', 'cuda'].includes(device);
  if (!mayUseCuda || card !== undefined || workers < 2) return [];
  const cards = visibleCards(await listCards(env), env['CUDA_VISIBLE_DEVICES']);
  return cards.length < 2 ? [] : cards.map(({ uuid }) => uuid);
}

/** The card of `DEVICE=cuda:N`: of those that CUDA may use, the one with this number, from 0. */
export function cardOfDevice(number: number, visible = process.env['CUDA_VISIBLE_DEVICES']): string {
  if (visible === undefined) return String(number);
  return visible.split(',')[number]?.trim() ?? NONE;
}

/** Says which card a new worker gets: the one that the fewest live on, the first of them. */
export class CardRota {
  readonly #workers: Map<string, number>;

  constructor(cards: readonly string[]) {
    this.#workers = new Map(cards.map((card) => [card, 0]));
  }

  /** Undefined where there is nothing to choose. */
  next(): string | undefined {
    const fewest = Math.min(...this.#workers.values());
    return [...this.#workers].find(([, workers]) => workers === fewest)?.[0];
  }

  /** A worker lives on a card. @param exited when it no longer does */
  hold(card: string | undefined, exited: Promise<unknown>): void {
    if (card === undefined) return;
    this.#add(card, 1);
    void exited.then(() => this.#add(card, -1));
  }

  #add(card: string, count: number): void {
    this.#workers.set(card, (this.#workers.get(card) ?? 0) + count);
  }
}
