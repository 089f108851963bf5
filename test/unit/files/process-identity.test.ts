import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { isRunning, ownIdentity } from '../../../app/files/process-identity.ts';

describe('isRunning', () => {
  it('is true of this process', () => {
    expect(isRunning(ownIdentity())).not.toBe(false);
  });

  it('is false of a process that has ended', async () => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    const identity = { ...ownIdentity(), pid: child.pid ?? 0, startedAt: null };
    await once(child, 'close');
    expect(isRunning(identity)).toBe(false);
  });

  const hasStartTimes = ownIdentity().startedAt !== null;
  (hasStartTimes ? it : it.skip)('is false of a process that has the pid of one that has ended (needs /proc)', () => {
    expect(isRunning({ ...ownIdentity(), startedAt: '1' })).toBe(false);
  });

  it('does not know about processes of other machines', () => {
    expect(isRunning({ ...ownIdentity(), scope: 'elsewhere' })).toBeUndefined();
  });
});
