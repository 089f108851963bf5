import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Filter } from '../../app/imaging/pillow/resample.ts';
import { resampleImage } from '../../app/imaging/pillow/resample.ts';
import { difference } from '../support/images/images.ts';
import { readPng } from '../support/images/png.ts';
import { describeWithReference } from '../support/reference.ts';

interface PipelineCase {
  readonly name: string;
  readonly kind: string;
  readonly input: string;
  readonly output: string;
  readonly filter: Filter;
  readonly size: readonly [number, number];
}

describeWithReference('Resampling against the pipeline goldens', ['goldens', 'pipelines', 'upscale'], (folder) => {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly PipelineCase[];
  const load = (file: string) => readPng(readFileSync(join(folder, file)));

  it.each(index.filter(({ kind }) => kind === 'pillow-resize'))('$name equals Pillow in every sample', (golden) => {
    const result = resampleImage(load(golden.input), golden.size[0], golden.size[1], golden.filter);
    expect(difference(result, load(golden.output))).toEqual({ max: 0, count: 0, mean: 0 });
  });

  it('has cases', () => {
    expect(index.filter(({ kind }) => kind === 'pillow-resize').length).toBeGreaterThan(50);
  });
});
