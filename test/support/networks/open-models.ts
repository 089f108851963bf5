import { readFileSync } from 'node:fs';

/** The checkpoints of a folder that a process has mapped: those of the models that it has loaded; Linux only. */
export function openModels(pid: number, modelsDir: string): string[] {
  const paths = mapsOf(pid)
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')));
  return [...new Set(paths)].filter((path) => path.startsWith(modelsDir) && /\.(pth|safetensors)$/.test(path));
}

function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
