import { describe, expect, it } from '@jest/globals';
import { proceduralScene } from '../../../../app/processing/int8/scene.ts';

const SIDE = 32;
const scenes = Array.from({ length: 12 }, (_, number) => proceduralScene(number, SIDE).data);

function deviation(data: ArrayLike<number>): number {
  const values = Array.from(data);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** The mean step between neighbours: high for edges and grain, low for gradients. */
function roughness(data: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 3; at < data.length; at++) sum += Math.abs((data[at] ?? 0) - (data[at - 3] ?? 0));
  return sum / (data.length - 3);
}

describe('A procedural scene', () => {
  it('is the same for the same number', () => {
    expect(proceduralScene(4, SIDE)).toEqual({ width: SIDE, height: SIDE, channels: 3, depth: 8, data: scenes[4] });
  });

  it('is another for another number, and never one flat colour', () => {
    expect(new Set(scenes.map((data) => data.join())).size).toBe(scenes.length);
    for (const data of scenes) expect(deviation(data)).toBeGreaterThan(5);
  });

  it('comes smooth and rough', () => {
    const rough = scenes.map(roughness).sort((a, b) => a - b);
    expect(rough[0]).toBeLessThan(6);
    expect(rough.at(-1)).toBeGreaterThan(15);
  });
});
