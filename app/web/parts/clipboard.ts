/** What TypeScript does not say: a page that came by plain HTTP from another host has no clipboard. */
const clipboard = (): Clipboard | undefined => navigator.clipboard;

/** Puts a text on the clipboard; rejects where the browser does not let it. */
export async function copyText(text: string): Promise<void> {
  await held(clipboard()).writeText(text);
}

/** Whether there is a clipboard, and it takes pictures. */
export function canCopyPictures(): boolean {
  return clipboard() !== undefined && 'ClipboardItem' in window;
}

/** Puts a PNG on the clipboard, as soon as it is here; rejects where it does not come, or the browser does not let it. */
export async function copyPng(png: Promise<Blob>): Promise<void> {
  await held(clipboard()).write([new ClipboardItem({ 'image/png': png })]);
}

function held(found: Clipboard | undefined): Clipboard {
  if (!found) throw new Error('this page has no clipboard');
  return found;
}
