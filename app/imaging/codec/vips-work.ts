/** Work of libvips that is under way in this process. */
interface Work {
  isAlone: boolean;
}

const underWay = new Set<Work>();
/** Called when nothing is under way any more. */
let whenIdle: (() => void) | undefined;
/** What is done without anything beside it, the last that was asked for; others wait for it. */
let lone: Promise<unknown> | undefined;

/**
 * Has libvips do something that may fail. It keeps the text of what failed for all its threads together, so that a failure beside
 * other work may come without words, or with those of another picture: such work is done again with nothing beside it.
 * All work of libvips has to come by here, and none within other such work.
 * @param work can be done twice: not started before it is called
 * @param mayRepeat asked after a failure; by default it may
 */
export async function vipsWork<T>(work: () => Promise<T>, mayRepeat: () => boolean = () => true): Promise<T> {
  while (lone) await lone.catch(() => undefined);
  const own = { isAlone: underWay.size === 0 };
  for (const other of underWay) other.isAlone = false;
  underWay.add(own);
  try {
    return await work();
  } catch (error) {
    if (own.isAlone || !mayRepeat()) throw error;
  } finally {
    underWay.delete(own);
    if (underWay.size === 0) whenIdle?.();
  }
  return alone(work);
}

async function alone<T>(work: () => Promise<T>): Promise<T> {
  const before = lone ?? idle();
  const own = before.then(work, work);
  lone = own;
  try {
    return await own;
  } finally {
    if (lone === own) lone = undefined;
  }
}

/** When what is under way has ended; nothing begins meanwhile, since it waits for what waits for this. */
async function idle(): Promise<void> {
  if (underWay.size > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
}
