import { describe, expect, it } from '@jest/globals';
import { addressOf, isPrivateAddress } from '../../../app/catalog/private-address.ts';

describe('isPrivateAddress', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
  ])('is true of %s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(['8.8.8.8', '140.82.121.4', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
    'is false of %s',
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
});

describe('addressOf', () => {
  it('is an address as it is, and a name by asking', async () => {
    expect(await addressOf('192.0.2.1')).toBe('192.0.2.1');
    expect(await addressOf('[2001:db8::1]')).toBe('2001:db8::1');
    expect(['127.0.0.1', '::1']).toContain(await addressOf('localhost'));
    expect(await addressOf('no-such-host.invalid')).toBeUndefined();
  });
});
