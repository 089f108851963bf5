import type { Page } from 'playwright-core';

/** What the thread of a page did without a pause. */
export interface PageTask {
  /** As the reader would have noticed it: with what it waited for a processor that others had. */
  readonly wallMs: number;
  /** What it computed. Other programs' load changes little about it. */
  readonly cpuMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Both in microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The tasks of a page's own thread while something goes on, as Chromium traced them. */
export async function pageTasks(page: Page, work: () => Promise<void>): Promise<readonly PageTask[]> {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page belongs to no browser');
  await browser.startTracing(page, { categories: ['toplevel'] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`;
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map((event) => threadOf(event)),
  );
  return traceEvents
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && threads.has(threadOf(event)))
    .map(({ dur = 0, tdur = 0 }) => ({ wallMs: dur / 1000, cpuMs: tdur / 1000 }));
}

/** Has a page scroll up and down its whole length, and its queue beside it, as long as it is there. */
export async function scrollForever(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    for (const moved of [document.scrollingElement, document.querySelector('.queue')]) {
      let step = 40;
      setInterval(() => {
        const before = moved.scrollTop;
        moved.scrollBy(0, step);
        if (moved.scrollTop === before) step = -step;
      }, 16);
    }
  })()`);
}
