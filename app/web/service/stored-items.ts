import type { Settings } from '../state/settings.ts';

/** A picture that was dropped here, as this browser remembers it: also over a reload. */
export interface StoredItem {
  readonly id: string;
  readonly createdAt: number;
  readonly name: string;
  /** Folder that it was dropped with, such as `holiday/day 1`; empty without one. */
  readonly folder: string;
  readonly settings: Settings;
  readonly file: Blob;
  readonly thumbnail?: Blob | undefined;
  /** In pixels; unknown where this browser cannot show the picture. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  readonly jobId?: string | undefined;
}

const STORE = 'items';
let opened: Promise<IDBDatabase> | undefined;

/** All of them, the oldest first; none where the browser keeps nothing. */
export async function storedItems(): Promise<StoredItem[]> {
  const items = await request<StoredItem[]>('readonly', (store) => store.getAll() as IDBRequest<StoredItem[]>);
  return (items ?? []).sort((a, b) => a.createdAt - b.createdAt);
}

/** Remembers an item, in place of what was known of it. */
export async function storeItem(item: StoredItem): Promise<void> {
  await request('readwrite', (store) => store.put(item));
}

/** Forgets an item. */
export async function forgetItem(id: string): Promise<void> {
  await request('readwrite', (store) => store.delete(id));
}

/** A browser that keeps nothing (a private window, a full disk) only loses what a reload would have kept. */
async function request<T>(
  mode: IDBTransactionMode,
  make: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  try {
    const database = await (opened ??= open());
    return await settled(make(database.transaction(STORE, mode).objectStore(STORE)));
  } catch {
    return undefined;
  }
}

function open(): Promise<IDBDatabase> {
  const opening = indexedDB.open('hiresfix', 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE, { keyPath: 'id' });
  return settled(opening);
}

function settled<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('the browser keeps nothing'));
  });
}
