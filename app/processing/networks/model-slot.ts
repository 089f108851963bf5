/** Something that holds memory until it is closed. */
interface Closeable {
  close(): Promise<void>;
}

/** Room for one loaded model: the one before is closed before the next is opened, and one that stays is opened once. */
export class ModelSlot {
  #held: { readonly key: string; readonly model: Closeable } | undefined;

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /**
   * The model of that key, opened unless it is there.
   * @param key names the model and how it is opened; all models of one key are of one class
   */
  async hold<T extends Closeable>(key: string, open: () => T | Promise<T>): Promise<T> {
    if (this.#held?.key === key) return this.#held.model as T;
    await this.clear();
    const model = await open();
    this.#held = { key, model };
    return model;
  }

  async clear(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.model.close();
  }
}
