import { describe, expect, it } from '@jest/globals';
import { isAllowedHost } from '../../../app/access/allowed-host.ts';

describe('isAllowedHost', () => {
  const loopback = { host: '127.0.0.1', allowedHosts: ['up.example'] };
  it.each([
    ['localhost:8001', true],
    ['LOCALHOST', true],
    ['localhost.:8001', true],
    ['up.localhost:8001', true],
    ['127.0.0.1:8001', true],
    ['127.1.2.3', true],
    ['[::1]:8001', true],
    ['up.example', true],
    ['Up.Example.:8001', true],
    [undefined, true],
    ['rebind.evil.example:8001', false],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['127.evil.example', false],
    ['evillocalhost', false],
    ['192.168.1.5:8001', false],
    ['[::2]:8001', false],
    ['up.example.evil.example', false],
    ['up.example@evil.example', false],
    ['', false],
  ])('on loopback decides on %j: %j', (header, expected) => {
    expect(isAllowedHost(header, loopback)).toBe(expected);
  });

  it.each(['localhost', '::1', '127.0.0.2'])('takes %s for loopback', (host) => {
    expect(isAllowedHost('evil.example', { host, allowedHosts: [] })).toBe(false);
  });

  it('answers to any name on other interfaces, until some are named', () => {
    expect(isAllowedHost('any.example', { host: '0.0.0.0', allowedHosts: [] })).toBe(true);
    expect(isAllowedHost('any.example', { host: '0.0.0.0', allowedHosts: ['up.example'] })).toBe(false);
    expect(isAllowedHost('up.example:80', { host: '0.0.0.0', allowedHosts: ['up.example'] })).toBe(true);
  });
});
