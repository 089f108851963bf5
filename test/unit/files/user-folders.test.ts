import { expect, it } from '@jest/globals';
import { cacheFolder } from '../../../app/files/user-folders.ts';

it.each([
  ['in the home', {}, '/home/one/.cache/hiresfix'],
  ['where the system says', { XDG_CACHE_HOME: '/var/cache/hiresfix' }, '/var/cache/hiresfix/hiresfix'],
  ['in the home, where that is a relative path', { XDG_CACHE_HOME: 'cache' }, '/home/one/.cache/hiresfix'],
])('what can be made again lies %s', (...[, env, expected]) => {
  expect(cacheFolder({ env, home: '/home/one' })).toBe(expected);
});
