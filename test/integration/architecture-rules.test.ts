import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** Imports that nobody may write: [a new file in the house, what it imports, the rule that refuses that]. */
const PLANTED = [
  ['onnx/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['checkpoints/planted-logger.ts', 'logger.ts', 'logger-is-known-where-it-may-be'],
  ['options/planted-processing.ts', 'processing/tasks.ts', 'options-imports-downward'],
  ['options/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['imaging/codec/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['architectures/planted-logger.ts', 'logger.ts', 'logger-is-known-where-it-may-be'],
  ['quantization/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['inference/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['files/planted-logger.ts', 'logger.ts', 'logger-is-known-where-it-may-be'],
  ['outbound/planted-config.ts', 'config.ts', 'config-is-known-where-it-may-be'],
  ['evaluation/planted-logger.ts', 'logger.ts', 'logger-is-known-where-it-may-be'],
  ['inference/planted-container.ts', 'worker-container.ts', 'worker-container-is-known-where-it-may-be'],
  ['jobs/planted-container.ts', 'container.ts', 'container-is-known-where-it-may-be'],
  ['http/planted-main.ts', 'main.ts', 'main-is-known-where-it-may-be'],
  ['imaging/planted-onnx.ts', 'onnx/graph.ts', 'imaging-imports-downward'],
  ['catalog/planted-jobs.ts', 'jobs/job.ts', 'catalog-imports-downward'],
  ['jobs/planted-http.ts', 'http/fields.ts', 'jobs-imports-downward'],
  ['processing/networks/planted-faces.ts', 'processing/faces/face.ts', 'processing-networks-imports-downward'],
  ['processing/upscale/planted-faces.ts', 'processing/faces/face.ts', 'processing-upscale-imports-downward'],
  ['imaging/pillow/planted-opencv.ts', 'imaging/opencv/plane.ts', 'imaging-pillow-imports-downward'],
  ['jobs/redis/planted-local.ts', 'jobs/local/journal.ts', 'jobs-redis-imports-downward'],
] as const;

/** Files beside the rooms that import what lies above them. */
const PLANTED_BESIDE = [
  ['config.ts', 'imaging/image.ts', 'config-imports-downward'],
  ['errors.ts', 'files/error-code.ts', 'errors-imports-downward'],
  ['logger.ts', 'processing/tasks.ts', 'logger-imports-downward'],
] as const;

/** Two circles of types: one between two rooms, one inside a room. */
const CIRCLES = [
  ['jobs/planted.ts', 'worker/planted.ts'],
  ['worker/planted.ts', 'jobs/planted.ts'],
  ['onnx/planted.ts', 'onnx/planted-too.ts'],
  ['onnx/planted-too.ts', 'onnx/planted.ts'],
] as const;

/** All violations of the rules in a copy of `app/` that `plant` has changed. */
async function violationsOf(plant: (app: string) => void): Promise<readonly Violation[]> {
  const folder = mkdtempSync(join(tmpdir(), 'architecture-'));
  try {
    cpSync(join(ROOT, 'app'), join(folder, 'app'), { recursive: true });
    cpSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    plant(join(folder, 'app'));
    const cruise = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const rules = join(ROOT, '.dependency-cruiser.cjs');
    const flags = [cruise, '--config', rules, '--output-type', 'json', 'app'];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder, maxBuffer: 2 ** 28 });
    return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An import for its types alone: the rules hold for those too. */
function importing(from: string, to: string): string {
  return `import type * as planted from '${'../'.repeat(from.split('/').length - 1) || './'}${to}';\nexport type Of = typeof planted;\n`;
}

describe('The rules of the architecture', () => {
  let violations: readonly Violation[] = [];

  beforeAll(async () => {
    violations = await violationsOf((app) => {
      for (const [from, to] of [...PLANTED, ...CIRCLES]) writeFileSync(join(app, from), importing(from, to));
      for (const [file, to] of PLANTED_BESIDE) appendFileSync(join(app, file), importing(file, to));
    });
  }, 60_000);

  it.each([...PLANTED, ...PLANTED_BESIDE])('refuse %s that imports %s', (from, to, rule) => {
    const found = violations.filter((one) => one.from === `app/${from}`);
    expect(found).toMatchObject([{ to: `app/${to}`, rule: { name: rule } }]);
  });

  it('refuse a circle of types between two rooms, and take one inside a room', () => {
    const circles = violations.filter(({ rule }) => rule.name.includes('circ'));
    expect(circles).toMatchObject([{ rule: { name: 'no-circle-between-rooms' } }]); // a circle is told once
    expect(circles.flatMap(({ from, to }) => [from, to]).sort()).toEqual([
      'app/jobs/planted.ts',
      'app/worker/planted.ts',
    ]);
  });

  it('refuse nothing of the house as it is', () => {
    const planted = new Set([...PLANTED, ...PLANTED_BESIDE, ...CIRCLES].map(([from]) => `app/${from}`));
    expect(violations.filter(({ from }) => !planted.has(from))).toEqual([]);
  });
});
