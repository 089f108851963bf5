import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IdleWorkers } from '../../../app/worker/idle-workers.ts';
import type { WorkerExit } from '../../../app/worker/worker-process.ts';

const MIB = 2 ** 20;

class StoppedClockWorker {
  readonly tasks: number;
  isAlive = true;
  readonly exited: Promise<WorkerExit>;
  #end: (exit: WorkerExit) => void = () => undefined;

  constructor(tasks = 1) {
    this.tasks = tasks;
    this.exited = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async kill(): Promise<void> {
    this.isAlive = false;
    this.#end({ code: null, signal: 'SIGKILL', stderr: '' });
    await this.exited;
  }
}

describe('workers that wait', () => {
  const clean = { residentBytes: 100 * MIB, keepsModel: false };
  const loaded = { residentBytes: 900 * MIB, keepsModel: true };
  const idleOf = (count: number, keepAliveMs = 0) => new IdleWorkers<StoppedClockWorker>({ count, keepAliveMs });

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('are given to one task each', () => {
    const idle = idleOf(1);
    const worker = new StoppedClockWorker();
    expect(idle.add(worker, clean, undefined)).toBe(true);
    expect(idle.take('any model')).toBe(worker);
    expect(idle.hasFree).toBe(false);
    expect(idle.take(undefined)).toBeUndefined();
  });

  it('are not those that have had 250 tasks, or hold more than 256 MiB without a model', () => {
    const idle = idleOf(4, 1000);
    expect(idle.add(new StoppedClockWorker(249), clean, undefined)).toBe(true);
    expect(idle.add(new StoppedClockWorker(250), clean, undefined)).toBe(false);
    expect(idle.add(new StoppedClockWorker(250), loaded, 'a model')).toBe(false);
    expect(idle.add(new StoppedClockWorker(), { ...clean, residentBytes: 256 * MIB + 1 }, undefined)).toBe(false);
  });

  it('are as many as may work at once, and but for one end when they are not needed', async () => {
    const idle = idleOf(2);
    const workers = [new StoppedClockWorker(), new StoppedClockWorker(), new StoppedClockWorker()];
    expect(workers.map((worker) => idle.add(worker, clean, undefined))).toEqual([true, true, false]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(workers.map(({ isAlive }) => isAlive)).toEqual([true, false, true]); // the last was its caller's to end
    expect(idle.hasFree).toBe(true);
  });

  it('keep a model until its time is over, for those that want it and for nobody else', async () => {
    const idle = idleOf(1, 1000);
    const worker = new StoppedClockWorker();
    expect(idle.add(worker, loaded, 'one')).toBe(true);
    expect(idle.hasFree).toBe(false);
    expect(idle.take(undefined)).toBeUndefined();
    expect(idle.take('other')).toBeUndefined();
    expect(idle.take('one')).toBe(worker);
    await jest.advanceTimersByTimeAsync(5000); // at work now, which may take as long as it takes
    expect(worker.isAlive).toBe(true);
    idle.add(worker, loaded, 'one');
    await jest.advanceTimersByTimeAsync(999);
    expect(worker.isAlive).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(worker.isAlive).toBe(false);
    expect(idle.take('one')).toBeUndefined();
  });

  it('keep no model where none is kept', () => {
    expect(idleOf(1).add(new StoppedClockWorker(), loaded, 'one')).toBe(false);
  });

  it('make room for another model, the oldest first, as far as there is none', async () => {
    const idle = idleOf(2, 1000);
    const [one, two] = [new StoppedClockWorker(), new StoppedClockWorker()];
    idle.add(one, loaded, 'one');
    idle.add(two, loaded, 'two');
    await idle.makeRoomFor('two', 0);
    expect([one.isAlive, two.isAlive]).toEqual([true, true]);
    await idle.makeRoomFor('three', 0);
    expect([one.isAlive, two.isAlive]).toEqual([false, true]);
    await idle.makeRoomFor('three', 1);
    expect(two.isAlive).toBe(false);
  });

  it('are forgotten when they die, and end when nobody comes any more', async () => {
    const idle = idleOf(2, 1000);
    const [dead, free, keeping] = [new StoppedClockWorker(), new StoppedClockWorker(), new StoppedClockWorker()];
    idle.add(dead, clean, undefined);
    await dead.kill();
    expect(idle.hasFree).toBe(false);
    idle.addNew(free);
    idle.add(keeping, loaded, 'one');
    await idle.close();
    expect([free.isAlive, keeping.isAlive, idle.hasFree]).toEqual([false, false, false]);
  });
});
