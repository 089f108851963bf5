import { describe, expect, it } from '@jest/globals';
import { pause } from '../../../app/files/pause.ts';

describe('pause', () => {
  it('ends at once with the reason when it is aborted', async () => {
    const stop = new AbortController();
    const pausing = pause(60_000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(pausing).rejects.toThrow('enough');
  });
});
