import { describe, expect, it } from '@jest/globals';
import { ModelSlot } from '../../../../app/processing/networks/model-slot.ts';

describe('Room for one model', () => {
  const told: string[] = [];
  const model = (name: string) => () => {
    told.push(`open ${name}`);
    return {
      name,
      close: async () => {
        await Promise.resolve();
        told.push(`close ${name}`);
      },
    };
  };

  it('is given up before the next model is opened, and keeps the one that stays', async () => {
    const slot = new ModelSlot();
    const first = await slot.hold('a', model('a'));
    expect(await slot.hold('a', model('a'))).toBe(first);
    await slot.hold('b', model('b'));
    await slot.clear();
    await slot.clear();
    expect(told).toEqual(['open a', 'close a', 'open b', 'close b']);
  });

  it('is empty where the next model cannot be opened', async () => {
    const slot = new ModelSlot();
    await slot.hold('a', model('a'));
    const failing = (): never => {
      throw new Error('damaged');
    };
    await expect(slot.hold('b', failing)).rejects.toThrow('damaged');
    expect((await slot.hold('a', model('again'))).name).toBe('again');
  });
});
