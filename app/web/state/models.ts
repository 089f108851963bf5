import { computed, signal } from '@preact/signals';
import type { ModelView } from '../../catalog/model-view.ts';
import { ask, fetchBlob, wordsOf } from '../service/connection.ts';
import type { UpscalerFacts } from './upscalers.ts';
import { UPSCALERS, upscalerFacts } from './upscalers.ts';

/** A model as `GET /models` tells of it; where it lies is the service's own affair. */
export type Model = Omit<ModelView, 'file'>;

export const models = signal<readonly Model[]>([]);
/** Whether the service takes models from its callers. */
export const takesModels = signal(false);
export const modelsProblem = signal('');
/** What became of the models that were dropped, and what still becomes of them. */
export const modelsNote = signal('');

/** Between two looks at a download. */
const LOOK_MS = 1000;

/** The upscalers that can be chosen: the named ones, and the files that an operator has put beside them. */
export const upscalers = computed<readonly (UpscalerFacts & { readonly isInstalled: boolean })[]>(() => {
  const installed = new Set(models.value.flatMap(({ name, installed: is }) => (is ? [name] : [])));
  const named = UPSCALERS.map((one) => ({ ...one, isInstalled: one.model === undefined || installed.has(one.model) }));
  const own = models.value.filter(({ asked_by_name: isAsked, installed: is }) => isAsked && is);
  return [...named, ...own.map(({ name }) => ({ ...upscalerFacts(name), isInstalled: true }))];
});

/** Asks what models there are. */
export async function loadModels(): Promise<void> {
  try {
    const told = JSON.parse(await (await fetchBlob('models')).text()) as {
      readonly models: readonly Model[];
      readonly takes_models: boolean;
    };
    models.value = told.models;
    takesModels.value = told.takes_models;
    modelsProblem.value = '';
  } catch (error) {
    modelsProblem.value = wordsOf(error);
  }
}

/** Sends checkpoints to the service, one after another; what it refuses is told in its words. */
export async function addModels(files: readonly File[]): Promise<void> {
  const problems: string[] = [];
  for (const file of files) {
    modelsNote.value = `Sending ${file.name} …`;
    const body = new FormData();
    body.append('file', file);
    await fetchBlob('models', { method: 'POST', body }).catch((error: unknown) => problems.push(wordsOf(error)));
  }
  await loadModels();
  const added = files.length - problems.length;
  modelsNote.value = added === 0 ? '' : `${added} ${added === 1 ? 'model was' : 'models were'} added`;
  modelsProblem.value = problems.join('; ');
}

/** Has the service fetch a model; the list tells how far it is until it is there. */
export async function download(name: string): Promise<void> {
  try {
    const id = await ask((client) => client.downloadModel(name));
    for (;;) {
      const { status, error } = await ask((client) => client.job(id));
      await loadModels();
      if (status === 'failed') modelsProblem.value = error ?? `${name} could not be fetched`;
      if (status !== 'queued' && status !== 'processing') return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } catch (error) {
    modelsProblem.value = wordsOf(error);
  }
}
