import { readdirSync, readFileSync } from 'node:fs';

/** Those that were there before the tests: Jest itself has helpers. */
const BEFORE = new Set(children(process.pid));

/** The processes that this one (since it loaded this file) or another has started and that live, zombies left out; Linux only. */
export function childProcesses(parent = process.pid): number[] {
  return children(parent).filter((pid) => !BEFORE.has(pid));
}

function children(of: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(parent) === of && state !== 'Z' ? [Number(name)] : [];
      } catch {
        return []; // it ended while it was looked at
      }
    });
}
