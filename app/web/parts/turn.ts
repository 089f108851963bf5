import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** So many at a frame are a few milliseconds' work. */
const PER_FRAME = 6;

const waiting = new Set<() => void>();
let frame = 0;

/**
 * Whether it is the turn of the part that asks to show what it has. Parts that come all at once get theirs a few at a frame, in their
 * order: a hundred pictures must not stop the page.
 */
export function useTurn(): boolean {
  const isTurn = useSignal(false);
  useEffect(() => {
    const show = (): void => void (isTurn.value = true);
    waiting.add(show);
    frame ||= requestAnimationFrame(next);
    return () => waiting.delete(show);
  }, []);
  return isTurn.value;
}

function next(): void {
  for (const show of [...waiting].slice(0, PER_FRAME)) {
    waiting.delete(show);
    show();
  }
  frame = waiting.size > 0 ? requestAnimationFrame(next) : 0;
}
