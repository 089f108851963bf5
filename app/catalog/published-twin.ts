import type { ModelFile } from './model-files.ts';
import { spellingKey } from './model-index.ts';
import type { RemoteModel } from './remote-model.ts';

/**
 * The official model that a file of the user's is by another name: one of the same bytes, else of the same name in another spelling.
 * Only files that are as large as an official one are read.
 * @param sha256Of a file's hash, remembered
 */
export async function publishedTwin(
  { path, size, stem }: ModelFile,
  official: readonly RemoteModel[],
  sha256Of: (path: string) => Promise<string>,
): Promise<RemoteModel | undefined> {
  const alike = official.filter((model) => model.size === size && model.sha256 !== null);
  const sha256 = alike.length > 0 ? await sha256Of(path).catch(() => undefined) : undefined;
  const named = (model: RemoteModel): boolean =>
    [model.name, model.filename].map(spellingKey).includes(spellingKey(stem));
  return alike.find((model) => model.sha256 === sha256) ?? official.find(named);
}
