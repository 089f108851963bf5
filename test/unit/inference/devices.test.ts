import { describe, expect, it } from '@jest/globals';
import { deviceLadder } from '../../../app/inference/devices.ts';

describe('the devices to try', () => {
  it.each([
    ['auto takes what is installed, best first', 'auto', ['cuda', 'cpu'], [], ['cuda', 'cpu']],
    ['auto without a GPU is the CPU', 'auto', ['cpu'], [], ['cpu']],
    ['a device that failed is not tried again', 'auto', ['cuda', 'cpu'], ['cuda'], ['cpu']],
    ['a named device is tried though it is absent, so that its absence is told', 'cuda', ['cpu'], [], ['cuda', 'cpu']],
    ['a named device that failed gives way to the CPU', 'cuda', ['cuda', 'cpu'], ['cuda'], ['cpu']],
    ['the CPU is the last resort, even where it failed', 'cpu', ['cuda', 'cpu'], ['cpu'], ['cpu']],
    ['a named GPU does not stand for another', 'mps', ['cuda', 'cpu'], [], ['mps', 'cpu']],
  ] as const)('%s', (_name, asked, installed, excluded, expected) => {
    expect(deviceLadder(asked, installed, excluded)).toEqual(expected);
  });
});
