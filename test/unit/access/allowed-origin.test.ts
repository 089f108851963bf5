import { describe, expect, it } from '@jest/globals';
import { isAllowedOrigin } from '../../../app/access/allowed-origin.ts';

describe('isAllowedOrigin', () => {
  it.each([
    ['no origin, as programs send', undefined, 'localhost:8001', true],
    ['the same host', 'http://localhost:8001', 'localhost:8001', true],
    ['the same host behind TLS', 'https://up.example', 'up.example', true],
    ['a listed origin', 'https://good.example', 'localhost:8001', true],
    ['a listed host by another scheme', 'http://good.example', 'localhost:8001', false],
    ['another port', 'http://localhost:3000', 'localhost:8001', false],
    ['another host', 'https://evil.example', 'localhost:8001', false],
    ['a host that begins alike', 'https://good.example.evil.example', 'localhost:8001', false],
    ['a file or a sandbox', 'null', 'localhost:8001', false],
    ['nonsense', '::', '::', false],
    ['no host', 'http://localhost:8001', undefined, false],
  ])('decides on %s', (_case, origin, host, expected) => {
    expect(isAllowedOrigin(origin, host, ['https://good.example'])).toBe(expected);
  });
});
