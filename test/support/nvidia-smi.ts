import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `nvidia-smi` answers of two cards, one of them much in use. */
export const TWO_CARDS: readonly string[] = [
  '0, GPU-aaaa1111, NVIDIA H100 80GB HBM3, 81559, 80994, 580.95.05',
  '1, GPU-bbbb2222, NVIDIA L4, 23034, 4000, 580.95.05',
];

/**
 * Puts a program `nvidia-smi` into a folder, which answers with these lines: stands in for cards that are not there, so it
 * proves what is made of the answer, and nothing of the cards.
 * @returns the folder, for `PATH`
 */
export async function plantNvidiaSmi(folder: string, lines: readonly string[]): Promise<string> {
  const program = join(folder, 'nvidia-smi');
  const checked =
    'case "$1" in --query-gpu=index,uuid,name,memory.total,memory.free,driver_version) ;; *) exit 2;; esac';
  await writeFile(program, `#!/bin/sh\n${checked}\ncat <<'END'\n${lines.join('\n')}\nEND\n`);
  await chmod(program, 0o755);
  return folder;
}
