import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FormSessionsSeen } from '../support/forms/form-session-child.ts';

const CHILD = fileURLToPath(new URL('../support/forms/form-session-child.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const [SLOWER, UNKNOWN] = ['the network ran in a slower form: ', /No Op registered for NoSuchOperator/];

let seen: FormSessionsSeen;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD], {
    cwd: PROJECT,
    maxBuffer: 2 ** 24,
  });
  seen = JSON.parse(stdout) as FormSessionsSeen;
}, 120_000);

describe('A graph whose form fails', () => {
  it('is loaded in the next one, answers there, and says so once', () => {
    const { plain, unloadable, failing } = seen.sessions;
    expect(plain).toEqual({ output: expect.any(Array), warnings: [] });
    for (const { output, warnings } of [unloadable, failing]) {
      expect(output).toEqual(plain.output);
      expect(warnings).toEqual([expect.stringContaining(SLOWER)]);
      expect(warnings[0]).toMatch(UNKNOWN);
    }
  });

  it('says it once of a picture in several tiles, in words without places of the runtime that was built', () => {
    const { plain, failing } = seen.tiles;
    expect(failing.output).toEqual(plain.output);
    expect([plain.warnings, failing.warnings.length]).toEqual([[], 1]);
    expect(failing.warnings[0]).toContain(`${SLOWER}the network failed on cpu`);
    expect(failing.warnings[0]).not.toContain('onnxruntime_src');
  });

  it('does so where the network finds faces or colours, too', () => {
    const { plain, failing } = seen.bare;
    expect(failing.output).toEqual(plain.output);
    expect([plain.warnings, failing.warnings.length]).toEqual([[], 1]);
  });

  it('fails where no form is left, or where what it lacks is memory', () => {
    const { hopeless, starving } = seen.sessions;
    expect(hopeless.error).toMatch(UNKNOWN);
    expect(starving.error).toContain('Failed to allocate memory');
  });
});

describe('A device that is still being started', () => {
  it('is waited for when the graph is laid out, not before', () => {
    expect(seen.order).toEqual(['graph laid out', 'device begun', 'session opened']);
  });
});

describe('A form in doubt', () => {
  it('is loaded meanwhile, and runs where there was nothing in it', () => {
    const { unfounded } = seen.doubts;
    expect(unfounded).toEqual({ output: seen.sessions.plain.output?.map((value) => -value), warnings: [] });
  });

  it('never runs where there was: the next one does from the first picture on, and says why', () => {
    const { founded } = seen.doubts;
    expect(founded).toEqual({ output: seen.sessions.plain.output, warnings: [`${SLOWER}it is mistaken`] });
  });

  it('is not taken for the one that came in its place because it could not be loaded', () => {
    const { unloadable } = seen.doubts;
    expect(unloadable.output).toEqual(seen.doubts.unfounded.output);
    expect(unloadable.warnings).toEqual([expect.stringMatching(UNKNOWN)]);
  });
});

describe('Convolutions with channels last', () => {
  it('are used where they calculate what they are taken to, and not where another layout is meant or none is there', () => {
    expect(seen.probes).toEqual({ right: true, swapped: false, mirrored: false, missing: false });
  });

  it('are tried in a thread, beside other work of the process', () => {
    expect(seen.turns).toBeGreaterThan(10); // of 1 ms; the thread takes tenths of a second
  });

  it('are in doubt on CUDA until they are tried', () => {
    expect(seen.forms.right).toEqual({ count: 3 });
    expect(seen.forms.soonRight).toEqual({ count: 3, doubt: 'unfounded' });
    expect(seen.forms.soonWrong).toEqual({ count: 3, doubt: expect.stringContaining('as it is expected to') });
  });

  it('are left out of the forms of CUDA where they are known to be mistaken, which the result is told', () => {
    expect(seen.forms.wrong).toEqual({ count: 2, reason: expect.stringContaining('as it is expected to') });
  });
});
