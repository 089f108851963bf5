import { describe, expect, it } from '@jest/globals';
import { ApiKeys } from '../../../app/access/api-keys.ts';
import { loadConfig } from '../../../app/config.ts';
import { ANYONE } from '../../../app/jobs/job.ts';

const keysOf = (text: string): ApiKeys => new ApiKeys(loadConfig({ API_KEY: text }).apiKeyDigests);

describe('ApiKeys', () => {
  it('knows each key as a caller of its own, whose name does not tell the key', () => {
    const keys = keysOf('first,second');
    const [first, second] = [keys.callerOf('first'), keys.callerOf('second')];
    expect(first).toMatch(/^key-[0-9a-f]{16}$/);
    expect(second).toMatch(/^key-[0-9a-f]{16}$/);
    expect(first).not.toBe(second);
    expect(keysOf('second,first').callerOf('first')).toBe(first);
  });

  it.each([undefined, '', 'FIRST', 'first ', 'firs', 'first,second', 'x'.repeat(100_000), 'é'])(
    'does not know %p',
    (key) => {
      expect(keysOf('first,second').callerOf(key)).toBeUndefined();
    },
  );

  it('takes everyone for one where there are no keys', () => {
    const keys = keysOf('');
    expect([keys.callerOf(undefined), keys.callerOf('whatever')]).toEqual([ANYONE, ANYONE]);
  });
});
