import type { ModelCatalog } from '../../catalog/model-catalog.ts';
import { downloadReport } from '../download-report.ts';
import type { StageClock } from '../stage-clock.ts';

/** Finds the files of models and fetches those that are missing. A fetch that failed is not repeated for every image. */
export class ModelFetcher {
  readonly #catalog: Pick<ModelCatalog, 'ensure' | 'sha256'>;
  readonly #found = new Map<string, Promise<string>>();

  constructor(catalog: Pick<ModelCatalog, 'ensure' | 'sha256'>) {
    this.#catalog = catalog;
  }

  /**
   * The file of a catalogue name.
   * @throws ModelUnavailableError
   */
  async file(name: string, clock: StageClock): Promise<string> {
    const found = this.#found.get(name) ?? this.#fetch(name, clock);
    this.#found.set(name, found);
    return found;
  }

  async sha256(file: string): Promise<string> {
    return this.#catalog.sha256(file);
  }

  async #fetch(name: string, clock: StageClock): Promise<string> {
    const report = downloadReport(clock);
    try {
      return (await clock.time('download', () => this.#catalog.ensure(name, { onProgress: report.onProgress }))).file;
    } finally {
      report.stop();
    }
  }
}
