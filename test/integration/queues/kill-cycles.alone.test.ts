import { describe, expect, it } from '@jest/globals';
import { killCycles } from '../../support/servers/kill-cycles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a server that is killed again and again', () => {
  it('loses no accepted job, delivers none in part, and ends each once', async () => {
    const folder = await temporaryFolder();
    const report = await killCycles(folder, 10, 1);
    expect(report).toMatchObject({ broken: [], completed: report.accepted });
    expect(report.accepted).toBeGreaterThan(10);
    expect((await folder.files()).filter((file) => file.startsWith('in/'))).toEqual([]);
    await folder.remove();
  }, 600_000);
});
