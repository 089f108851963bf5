import { describe, expect, it } from '@jest/globals';
import { ApiKeys } from '../../../app/access/api-keys.ts';
import { KeyCheck, MAX_WRONG_KEYS_PER_MINUTE } from '../../../app/access/key-check.ts';
import { loadConfig } from '../../../app/config.ts';
import { ANYONE } from '../../../app/jobs/job.ts';

const RIGHT = 'the-right-key';
const HERE = '203.0.113.7';

describe('the check of keys', () => {
  const opened = (keys = `${RIGHT},another-key`): ((key?: string, address?: string, now?: number) => string) => {
    const check = new KeyCheck(new ApiKeys(loadConfig({ API_KEY: keys }).apiKeyDigests));
    return (key, address = HERE, now = 0) => {
      try {
        return check.callerOf(key, address, now);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
  };
  const tryAll = (ask: ReturnType<typeof opened>, address = HERE): void => {
    for (let count = 0; count < MAX_WRONG_KEYS_PER_MINUTE; count++) {
      expect(ask(`wrong-${count}`, address)).toBe('ERR_UNAUTHORIZED');
    }
  };

  it('tells an address that tried too many wrong ones nothing of the next, be it right', () => {
    const ask = opened();
    tryAll(ask);
    expect([ask('wrong'), ask(RIGHT)]).toEqual(Array(2).fill('ERR_TOO_MANY_WRONG_KEYS'));
    expect(ask(RIGHT, '203.0.113.8')).toMatch(/^key-/);
    expect(ask(RIGHT, HERE, 60_000 / MAX_WRONG_KEYS_PER_MINUTE)).toMatch(/^key-/);
  });

  it('goes on with those that had come from there before', () => {
    const ask = opened();
    const caller = ask(RIGHT);
    tryAll(ask);
    expect([ask(RIGHT), ask('another-key'), ask('wrong')]).toEqual([
      caller,
      'ERR_TOO_MANY_WRONG_KEYS',
      'ERR_TOO_MANY_WRONG_KEYS',
    ]);
  });

  it('counts no request without a key, and none with a right one', () => {
    const ask = opened();
    for (let count = 0; count < 100; count++) expect(ask()).toBe('ERR_UNAUTHORIZED');
    for (let count = 0; count < 100; count++) expect(ask(RIGHT)).toMatch(/^key-/);
    expect(ask('wrong')).toBe('ERR_UNAUTHORIZED');
  });

  it('takes the addresses of one IPv6 network for one, and each of IPv4 for itself', () => {
    const ask = opened();
    tryAll(ask, '2001:db8::1');
    expect(ask('wrong', '2001:db8:0:0:ffff::2')).toBe('ERR_TOO_MANY_WRONG_KEYS');
    expect(ask('wrong', '2001:db8:0:1::1')).toBe('ERR_UNAUTHORIZED');
    tryAll(ask, '::ffff:203.0.113.1');
    expect(ask('wrong', '::ffff:203.0.113.2')).toBe('ERR_UNAUTHORIZED');
  });

  it('asks nobody where there are no keys', () => {
    const ask = opened('');
    expect([ask(), ask('whatever')]).toEqual([ANYONE, ANYONE]);
  });
});
