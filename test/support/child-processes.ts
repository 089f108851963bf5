import { readdirSync, readFileSync } from 'node:fs';

/** The processes that this one has started and that live, zombies left out; Linux only. */
export function childProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(parent) === process.pid && state !== 'Z' ? [Number(name)] : [];
      } catch {
        return []; // it ended while it was looked at
      }
    });
}
