const STORED = 'hiresfix-hidden';
/** Jobs expire on the service by and by; what was hidden longest is forgotten first. */
const MAX_REMEMBERED = 500;

const hidden = new Set<string>(remembered());

/** Whether a job was taken out of the list here. */
export function isHidden(jobId: string): boolean {
  return hidden.has(jobId);
}

/** Remembers that a job was taken out of the list: it may still be known to the service. */
export function hide(jobId: string): void {
  hidden.add(jobId);
  localStorage.setItem(STORED, JSON.stringify([...hidden].slice(-MAX_REMEMBERED)));
}

function remembered(): string[] {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? '[]') as string[];
  } catch {
    return [];
  }
}
