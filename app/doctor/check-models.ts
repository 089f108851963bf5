import type { CatalogEntry, ModelState } from '../catalog/catalog-entry.ts';
import { modelState } from '../catalog/catalog-entry.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { BadModelsLockError, ModelsFolderError } from '../catalog/errors.ts';
import type { Config } from '../config.ts';
import type { Finding, Problem } from './finding.ts';

/** A model that is there. */
export interface ModelReport {
  readonly name: string;
  readonly state: ModelState;
}

/** The models that are installed. Heads of files are read, not all of them: `hiresfix models verify` does that. */
export async function checkModels(config: Config): Promise<Finding<readonly ModelReport[]>> {
  const entries = await createCatalog(config)
    .list()
    .catch((error: unknown) => problemOfFolder(error));
  if ('problem' in entries) return { found: [], problems: [entries] };
  const there = entries.filter(({ file }) => file !== null);
  return {
    found: there.map((entry) => ({ name: entry.name, state: modelState(entry) })),
    problems: there.flatMap(problemsOf),
  };
}

/** Why nothing can be said of the models. */
function problemOfFolder(error: unknown): Problem {
  if (error instanceof ModelsFolderError || error instanceof BadModelsLockError)
    return { is_error: true, problem: error.problem, remedy: error.remedy };
  const reason = error instanceof Error ? error.message : String(error);
  return { is_error: true, problem: `MODELS_DIR: ${reason}`, remedy: 'see that the folder is there and may be read' };
}

/** A file of the user's that holds no network is nothing that anybody needs. */
function problemsOf(entry: CatalogEntry): Problem[] {
  const { name, problem, kind } = entry;
  const remedy =
    kind === 'official' ? `remove the file, then hiresfix models download ${name}` : 'replace the file, or remove it';
  if (problem !== null) return [{ is_error: kind !== 'user', problem: `model ${name}: ${problem}`, remedy }];
  if (modelState(entry) !== 'changed') return [];
  const changed = `model ${name}: its file has changed since it was downloaded`;
  return [{ is_error: false, problem: changed, remedy: `hiresfix models verify ${name}` }];
}
