import { effect, signal } from '@preact/signals';
import { ServiceProblemError } from '../../client/errors.ts';
import { HiresFixClient } from '../../client/hires-fix-client.ts';

const STORED_KEY = 'hiresfix-key';

/** Where the service lies: where its page does. */
export const SERVICE = new URL('.', document.baseURI);

/** The key that is sent with everything; empty where none was asked for. Forgotten with the tab. */
export const apiKey = signal(sessionStorage.getItem(STORED_KEY) ?? '');

/** What the box that asks for a key says; undefined while none is wanted. */
export const keyQuestion = signal<string | undefined>(undefined);
/** Whether that box is closed although a key is wanted. */
export const isKeyPutOff = signal(false);

/** Takes the key that was typed in; whatever waits for one goes on. */
export function enterKey(key: string): void {
  sessionStorage.setItem(STORED_KEY, key);
  apiKey.value = key;
  keyQuestion.value = undefined;
}

/**
 * Asks the service for something. Where it wants a key, the reader is asked for one, and the question waits for it.
 * @throws ServiceProblemError, ServiceUnreachableError
 */
export async function ask<T>(question: (client: HiresFixClient) => Promise<T>): Promise<T> {
  for (;;) {
    const key = apiKey.value;
    try {
      return await question(new HiresFixClient(SERVICE, { apiKey: key }));
    } catch (error) {
      if (!(error instanceof ServiceProblemError) || error.code !== 'ERR_UNAUTHORIZED') throw error;
      if (key === apiKey.value) await newKey(key);
    }
  }
}

/** A file or a part of one, by its path: for what the client has no words for. */
export function fetchBlob(path: string, init: RequestInit = {}): Promise<Blob> {
  return ask(async () => {
    const headers = apiKey.value === '' ? {} : { 'X-API-KEY': apiKey.value };
    const response = await fetch(new URL(path, SERVICE), { ...init, headers });
    if (response.ok) return response.blob();
    const problem = (await response.json().catch(() => ({}))) as { readonly code?: string; readonly detail?: string };
    throw new ServiceProblemError(problem.code ?? 'ERR_INTERNAL', problem.detail ?? response.statusText);
  });
}

/** What an error says, for people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function newKey(old: string): Promise<void> {
  if (keyQuestion.value === undefined) isKeyPutOff.value = false; // what asks again by itself does not open it again
  keyQuestion.value = old === '' ? 'This service wants an API key.' : 'The service does not take that key.';
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (apiKey.value === old || keyQuestion.value !== undefined) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}
