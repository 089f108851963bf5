import { signal } from '@preact/signals';
import { addModels, takesModels } from './models.ts';
import { enqueue } from './queue.ts';

/** Whether files hang over the window. */
export const isDragging = signal(false);
/** What was dropped and is no picture, in words. */
export const refusal = signal('');

const MODELS = /\.(safetensors|sft|pth|pt|ckpt|bin)$/i;
/** Whether HEIC is read, the service knows; it says what to do where it is not. */
const PICTURES = /\.(png|jpe?g|jfif|webp|avif|tiff?|gif|hei[cf]|hif)$/i;

interface Found {
  readonly file: File;
  readonly name: string;
  readonly folder: string;
}

/** Takes what is dropped anywhere on the window, with the folders that it lies in, and what is pasted. */
export function takeDrops(): void {
  let depth = 0;
  const over = (change: number) => (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    isDragging.value = depth > 0;
  };
  addEventListener('dragenter', over(1));
  addEventListener('dragleave', over(-1));
  addEventListener('dragover', over(0));
  addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    depth = 0;
    isDragging.value = false;
    // Read at once: the list is empty as soon as this event is over.
    const found = [...event.dataTransfer.items].map((item) => foundIn(item));
    void Promise.all(found).then((all) => take(all.flat()));
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) takeFiles(files);
  });
}

/** Takes files that were picked; those of a folder bring their paths. */
export function takeFiles(files: readonly File[]): void {
  take(files.map((file) => ({ file, name: file.name, folder: folderOf(file.webkitRelativePath) })));
}

function take(found: readonly Found[]): void {
  const pictures = found.filter(({ file, name }) => PICTURES.test(name) || file.type.startsWith('image/'));
  const models = found.filter(({ name }) => MODELS.test(name));
  const others = found.length - pictures.length - (takesModels.value ? models.length : 0);
  refusal.value = others === 0 ? '' : leftOut(others, models.length > 0 && !takesModels.value);
  if (takesModels.value && models.length > 0) void addModels(models.map(({ file }) => file));
  if (pictures.length > 0) enqueue(pictures);
}

function leftOut(count: number, areModels: boolean): string {
  const words = `${count} ${count === 1 ? 'file was' : 'files were'} left out: `;
  return areModels
    ? `${words}models are added by whoever runs this service (ALLOW_MODEL_UPLOAD)`
    : `${words}pictures are PNG, JPEG, WebP, AVIF, TIFF or GIF`;
}

/** Something dropped: a folder's files, or the file itself where it comes from no disk. */
async function foundIn(item: DataTransferItem): Promise<Found[]> {
  const entry = item.webkitGetAsEntry();
  if (entry) return filesOf(entry, '');
  const file = item.getAsFile();
  return file ? [{ file, name: file.name, folder: '' }] : [];
}

async function filesOf(entry: FileSystemEntry, folder: string): Promise<Found[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ file, name: entry.name, folder }];
  }
  const inside = folder === '' ? entry.name : `${folder}/${entry.name}`;
  const entries = await entriesOf(entry as FileSystemDirectoryEntry);
  return (await Promise.all(entries.map((one) => filesOf(one, inside)))).flat();
}

/** A folder is read a hundred entries at a time, until there are none. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}
