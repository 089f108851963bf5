import { HiresFixError } from '../../errors.ts';
import type { InspectedModel } from '../catalog-entry.ts';
import type { ModelFile } from '../model-files.ts';

/** Reads what network a file holds; throws, with a message for people, where it holds none that is known. */
export type Inspect = (file: string) => InspectedModel | Promise<InspectedModel>;

/** What was found out about files, that they cannot be read included, remembered as long as they do not change. */
export class RememberedInspections {
  readonly #inspect: Inspect;
  readonly #found = new Map<string, Promise<InspectedModel | Error>>();

  constructor(inspect: Inspect) {
    this.#inspect = inspect;
  }

  /** Reads a file once, also where it is asked for by several at a time. */
  async of({ path, identity }: ModelFile): Promise<InspectedModel | Error> {
    const asked = this.#found.get(identity) ?? this.#ask(path);
    this.#found.set(identity, asked);
    const found = await asked;
    // What is no fault of the file (no room for a process) may be otherwise another time.
    if (found instanceof Error && !(found instanceof HiresFixError)) this.#found.delete(identity);
    return found;
  }

  async #ask(path: string): Promise<InspectedModel | Error> {
    try {
      return await this.#inspect(path);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
