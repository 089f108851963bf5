import { describe, expect, it } from '@jest/globals';
import type { Job, JobWork } from '../../../../app/jobs/job.ts';
import { initialProgress } from '../../../../app/jobs/job.ts';
import { StartOrder } from '../../../../app/jobs/local/start-order.ts';
import { outputOptions } from '../../../../app/options/output-options.ts';
import { upscaleOptions } from '../../../../app/options/upscale-options.ts';

function job(id: string, work: JobWork, caller: string): Job {
  return {
    id,
    caller,
    work,
    method: work.kind === 'download' ? 'download' : 'upscale',
    inputs: [],
    output: outputOptions.parse({}),
    warnings: [],
    status: 'queued',
    queuePosition: 0,
    progress: initialProgress({ inputs: [] }),
    results: [],
    failures: [],
    createdAt: 0,
    attempt: 0,
  };
}

const image = (id: string, caller = 'a'): Job =>
  job(id, { kind: 'hires-fix', options: upscaleOptions.parse({}) }, caller);
const download = (id: string, caller = 'a'): Job => job(id, { kind: 'download', model: id }, caller);

describe('the order in which jobs start', () => {
  it('keeps no image waiting for a download, nor a download for images', () => {
    const order = new StartOrder(1);
    const jobs = [download('d1'), image('i1'), image('i2'), download('d2'), download('d3')];
    for (const one of jobs) order.add(one);
    const running: Job[] = [];
    for (let id = order.next(running); id !== undefined; id = order.next(running)) {
      running.push(...jobs.filter((one) => one.id === id));
    }
    expect(running.map(({ id }) => id)).toEqual(['i1', 'd1', 'd2']);
    expect(order.next(running.slice(1))).toBe('i2');
    expect(order.next(running.slice(0, 2))).toBe('d3');
    expect(order.size).toBe(0);
  });

  it('says where each one stands in its own line', () => {
    const order = new StartOrder(1);
    const [first, second, fetched] = [image('i1'), image('i2', 'b'), download('d1', 'b')] as const;
    for (const one of [first, second, fetched]) order.add(one);
    expect([first, second, fetched].map((one) => order.position(one))).toEqual([1, 2, 1]);
    expect([...order.upTo(1)]).toEqual(['i1', 'd1']);
    expect(order.sizeOf('b')).toBe(2);
    order.addFirst(image('i0'));
    expect(order.position(first)).toBe(2);
    expect([order.remove(fetched), order.remove(fetched)]).toEqual([true, false]);
    expect([order.position(fetched), order.size]).toEqual([0, 3]);
  });
});
