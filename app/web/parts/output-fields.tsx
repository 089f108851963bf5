import type { JSX } from 'preact';
import { choose, FIRST_SETTINGS, hasQuality, settings } from '../state/settings.ts';
import { Choice, NumberSlider } from './fields.tsx';

const FORMATS = [
  ['auto', 'as the picture is'],
  ['png', 'PNG, loses nothing'],
  ['jpeg', 'JPEG'],
  ['webp', 'WebP'],
  ['avif', 'AVIF, small and slow'],
  ['tiff', 'TIFF, loses nothing'],
] as const;

/** How results are written. */
export function OutputFields(): JSX.Element {
  const { format, quality, method } = settings.value;
  return (
    <>
      <Choice label="Written as" value={format} options={FORMATS} onChange={(value) => choose({ format: value })} />
      {hasQuality(format) && (
        <NumberSlider
          label="Quality"
          value={quality}
          min={1}
          max={100}
          step={1}
          effect="Higher looks better and takes more room"
          onChange={(value) => choose({ quality: Math.min(100, Math.round(value)) })}
        />
      )}
      <button type="button" class="quiet" onClick={() => choose({ ...FIRST_SETTINGS, method })}>
        Reset all settings
      </button>
    </>
  );
}
