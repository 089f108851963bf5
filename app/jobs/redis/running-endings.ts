/** What is ending jobs on this server at the moment: the end of a job is told here when all of it has cleared up. */
export class RunningEndings {
  readonly #endings = new Map<string, Promise<unknown>>();

  /** What a job's end has to wait for; undefined where nothing here is ending it. */
  of(id: string): Promise<unknown> | undefined {
    return this.#endings.get(id);
  }

  /** Runs what may end a job. @throws what `work` throws */
  async run<T>(id: string, work: () => Promise<T>): Promise<T> {
    const ending = work();
    const all = Promise.allSettled([this.#endings.get(id), ending]);
    this.#endings.set(id, all);
    try {
      return await ending;
    } finally {
      if (this.#endings.get(id) === all) this.#endings.delete(id);
    }
  }
}
