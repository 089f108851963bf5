import { describe, expect, it } from '@jest/globals';
import type { SessionDevice } from '../../../app/inference/devices.ts';
import { deviceLadder } from '../../../app/inference/devices.ts';

describe('the devices to try', () => {
  it.each<{
    name: string;
    asked: 'auto' | SessionDevice;
    installed: SessionDevice[];
    failed?: string[];
    tried: string[];
  }>([
    {
      name: 'auto takes what is installed, best first',
      asked: 'auto',
      installed: ['cuda', 'cpu'],
      tried: ['cuda', 'cpu'],
    },
    { name: 'auto without a GPU is the CPU', asked: 'auto', installed: ['cpu'], tried: ['cpu'] },
    {
      name: 'a device that failed is not tried again',
      asked: 'auto',
      installed: ['cuda', 'cpu'],
      failed: ['cuda'],
      tried: ['cpu'],
    },
    {
      name: 'a named device is tried though it is absent, so that its absence is told',
      asked: 'cuda',
      installed: ['cpu'],
      tried: ['cuda', 'cpu'],
    },
    {
      name: 'a named device that failed gives way to the CPU',
      asked: 'cuda',
      installed: ['cuda', 'cpu'],
      failed: ['cuda'],
      tried: ['cpu'],
    },
    {
      name: 'the CPU is the last resort, even where it failed',
      asked: 'cpu',
      installed: ['cuda', 'cpu'],
      failed: ['cpu'],
      tried: ['cpu'],
    },
    { name: 'a named GPU does not stand for another', asked: 'mps', installed: ['cuda', 'cpu'], tried: ['mps', 'cpu'] },
  ])('$name', ({ asked, installed, failed, tried }) => {
    expect(deviceLadder(asked, installed, failed)).toEqual(tried);
  });
});
