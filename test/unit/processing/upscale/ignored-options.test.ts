import { describe, expect, it } from '@jest/globals';
import { upscaleOptions } from '../../../../app/options/upscale-options.ts';
import { ignoredOptions } from '../../../../app/processing/upscale/ignored-options.ts';

const ignored = (options: object, filter?: string) => ignoredOptions(upscaleOptions.parse(options), filter);

describe('options that do nothing', () => {
  it('are told where a filter has no network for them', () => {
    const tiles = { tile: 64, tile_pad: 10, pre_pad: 2, tta: 4 };
    expect(ignored(tiles, 'LANCZOS')).toEqual(['tile, tile_pad, pre_pad, tta were ignored: LANCZOS has no network']);
    expect(ignored({ tile: '64' }, 'NEAREST')).toEqual(['tile was ignored: NEAREST has no network']);
    expect(ignored(tiles)).toEqual([]);
  });

  it('are told where a picture is not fitted into anything', () => {
    const told = ['fit was ignored: it is for width and height together'];
    expect(ignored({ fit: 'inside', scale: 2 })).toEqual(told);
    expect(ignored({ fit: 'cover', width: 9 }, 'LANCZOS')).toEqual(told);
    expect(ignored({ fit: 'cover', width: 9, height: 9 })).toEqual([]);
  });

  it('are not told by programs that send what would be without them', () => {
    const standard = { fit: 'fill', tile: 'auto', tile_pad: 'auto', pre_pad: 0, tta: 'auto', scale: 2 };
    expect(ignored(standard, 'LANCZOS')).toEqual([]);
    expect(ignored({ ...standard, tile: 0, tile_pad: 0, tta: 1 }, 'LANCZOS')).toEqual([]);
  });
});
