/** Pictures that are read at once for those who look at them, for all callers; others wait their turn. */
const MAX_AT_ONCE = 2;
let atWork = 0;
const waiting: (() => void)[] = [];

/** Runs work on a picture when it is its turn, and gives or throws what the work does. */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (atWork >= MAX_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else atWork++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else atWork--;
  }
}
