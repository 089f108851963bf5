import { describe, expect, it } from '@jest/globals';
import { BadImageError } from '../../../app/imaging/errors.ts';
import { InferenceError } from '../../../app/inference/errors.ts';
import { failureOf } from '../../../app/worker/failure-of.ts';

const on = { device: 'cpu', tile: 256, side: 1000 } as const;

describe('an error as a worker tells it', () => {
  it('keeps the code and the fault of our own', () => {
    expect(failureOf(new BadImageError('a.png', 'no image'))).toMatchObject({
      code: 'ERR_BAD_IMAGE',
      fault: 'image',
      message: 'a.png: no image',
    });
  });

  it('has a remedy only where the network ran', () => {
    const error = (isOutOfMemory: boolean) => new InferenceError('the network failed', { isOutOfMemory });
    expect(failureOf(error(true), on).remedy).toBe('memory');
    expect(failureOf(error(false), on).remedy).toBe('device');
    expect(failureOf(error(true))).toMatchObject({
      code: 'ERR_INFERENCE',
      fault: 'machine',
      message: 'the network failed',
    });
    expect(failureOf(error(true))).not.toHaveProperty('remedy');
  });

  it('knows a disk that cannot be written, whichever library met it', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(failureOf(full)).toMatchObject({
      code: 'ERR_SCRATCH_SPACE',
      fault: 'image',
      message: 'files cannot be written: ENOSPC: no space left on device, write',
    });
  });

  it('keeps what caused it, down to the first cause, for the log', () => {
    const cause = new Error('no entry', { cause: new RangeError('beyond the end') });
    const { stack } = failureOf(new BadImageError('a.png', 'no image', { cause }));
    expect(stack).toMatch(
      /^BadImageError: a.png: no image\n[^]*\ncaused by: Error: no entry\n[^]*\ncaused by: RangeError: beyond/,
    );
  });

  it('keeps the stack of what nobody foresaw apart from its text, which is one line', () => {
    const failure = failureOf(new TypeError('x is not\n  a function'));
    expect(failure).toMatchObject({ code: 'ERR_INTERNAL', message: 'x is not a function' });
    expect(failure.stack).toContain('failure-of.test');
    expect(failureOf('thrown text')).toEqual({ code: 'ERR_INTERNAL', fault: 'machine', message: 'thrown text' });
  });
});
