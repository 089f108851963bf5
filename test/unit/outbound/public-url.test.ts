import { describe, expect, it } from '@jest/globals';
import { urlProblem } from '../../../app/outbound/public-url.ts';

describe('urlProblem', () => {
  it.each([
    'https://example.org/hook?token=a',
    'http://example.org',
    'https://example.org:443/x',
    'http://example.org:80/',
    'https://[2606:4700::1111]/',
    'http://8.8.8.8/',
    'https://mylocalhost.example/',
  ])('has nothing against %s', (url) => {
    expect(urlProblem(url)).toBeUndefined();
  });

  it.each([
    ['not a URL', 'must be a URL'],
    ['/hook', 'must be a URL'],
    ['ftp://example.org/', 'http or https'],
    ['file:///etc/passwd', 'http or https'],
    ['javascript:alert(1)', 'http or https'],
    ['https://example.org:8443/', 'must have the port'],
    ['http://example.org:443/', 'must have the port'],
    ['https://user:secret@example.org/', 'must not have a user name'],
    ['http://localhost/', 'private network'],
    ['http://LOCALHOST./', 'private network'],
    ['http://a.localhost/', 'private network'],
    ['http://127.0.0.1/', 'private network'],
    // What the URL standard reads as 127.0.0.1, and what it reads as 169.254.169.254.
    ['http://127.1/', 'private network'],
    ['http://0x7f.0.0.1/', 'private network'],
    ['http://0177.0.0.1/', 'private network'],
    ['http://2130706433/', 'private network'],
    ['http://①②⑦.0.0.1/', 'private network'],
    ['http://0xa9fea9fe/', 'private network'],
    ['http://[::1]/', 'private network'],
    ['http://[::ffff:127.0.0.1]/', 'private network'],
    ['http://[64:ff9b::7f00:1]/', 'private network'],
  ])('says of %s: %s', (url, problem) => {
    expect(urlProblem(url)).toContain(problem);
  });
});
