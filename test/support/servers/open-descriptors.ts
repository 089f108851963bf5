import { readdirSync, readlinkSync } from 'node:fs';

/** How many files, sockets and pipes a process has open; Linux only. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Where those lead: paths of files, and what stands for others; Linux only. */
export function openFiles(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
}

/** None where it was closed meanwhile, such as that of the list. */
function linkOf(path: string): readonly string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
