import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

it('the module of resampling is what its sources are compiled to, and small', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hiresfix-wasm-'));
  try {
    const file = join(folder, 'resample-module.ts');
    await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build-wasm.mjs'), file]);
    const built = await readFile(file, 'utf8');
    expect(await readFile(join(ROOT, 'app', 'imaging', 'pillow', 'resample-module.ts'), 'utf8')).toBe(built);
    expect(built.length).toBeLessThan(12_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});
