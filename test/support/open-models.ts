import { readFileSync } from 'node:fs';

/** The checkpoints of a folder that a process has mapped: those of the models that it has loaded; Linux only. */
export function openModels(pid: number, modelsDir: string): string[] {
  const lines = mapsOf(pid).split('\n');
  return [...new Set(lines.filter((line) => line.includes(modelsDir)).map((line) => line.slice(line.indexOf('/'))))];
}

function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
