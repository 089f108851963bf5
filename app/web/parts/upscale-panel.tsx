import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { durationInWords } from '../../client/duration-in-words.ts';
import { estimate, inBytes, inPixels } from '../state/estimate.ts';
import { upscalers } from '../state/models.ts';
import { chosenItem } from '../state/queue.ts';
import { choose, COLOR_FIXES, settings } from '../state/settings.ts';
import { speeds } from '../state/speeds.ts';
import { isNetwork } from '../state/upscalers.ts';
import { FaceStrength } from './face-strength.tsx';
import { Choice, NumberSlider, Switch } from './fields.tsx';
import { OutputFields } from './output-fields.tsx';

/** A picture of a phone, for where none is chosen. */
const EXAMPLE = { width: 1600, height: 1200 };

/** How pictures are enlarged. */
export function UpscalePanel(): JSX.Element {
  const { sizing, scale, width } = settings.value;
  return (
    <section class="panel" aria-label="How pictures are enlarged">
      <UpscalerChoice />
      <Choice
        label="Size"
        value={sizing}
        options={[
          ['scale', 'times as large'],
          ['width', 'a width in pixels'],
        ]}
        onChange={(value) => choose({ sizing: value === 'width' ? 'width' : 'scale' })}
      />
      {sizing === 'scale' ? (
        <NumberSlider
          label="Times as large"
          value={scale}
          min={1}
          max={8}
          step={0.5}
          effect={
            scale > 8 ? 'Above 8 times there is more invented than seen' : 'Both sides of the picture, times this'
          }
          onChange={(value) => choose({ scale: value })}
        />
      ) : (
        <NumberSlider
          label="Width"
          value={width}
          min={256}
          max={8192}
          step={1}
          effect="Pixels; the height keeps the ratio"
          onChange={(value) => choose({ width: Math.round(value) })}
        />
      )}
      <NetworkFields />
      <Faces />
      <OutputFields />
      <Expected />
    </section>
  );
}

/** What filters have no use for. */
function NetworkFields(): JSX.Element {
  const { upscaler, denoise, colorFix } = settings.value;
  return (
    <>
      {upscaler === 'REALESR_GENERAL_X4_V3' && (
        <NumberSlider
          label="Noise removed"
          value={denoise}
          min={0}
          max={1}
          step={0.05}
          effect="1 removes all noise, 0 keeps the grain"
          onChange={(value) => choose({ denoise: Math.min(1, value) })}
        />
      )}
      {isNetwork(upscaler) && (
        <Choice
          label="Tones"
          value={colorFix}
          options={Object.entries(COLOR_FIXES)}
          effect="Networks shift flat tones by some levels"
          onChange={(value) => choose({ colorFix: value })}
        />
      )}
    </>
  );
}

function UpscalerChoice(): JSX.Element {
  const wanted = useSignal('');
  const { upscaler } = settings.value;
  const all = upscalers.value;
  const search = wanted.value.toLowerCase();
  const shown = all.filter(
    ({ name, label, goodFor }) => name === upscaler || `${name} ${label} ${goodFor}`.toLowerCase().includes(search),
  );
  const facts = all.find(({ name }) => name === upscaler);
  const options = shown.map(({ name, label, isInstalled }) => {
    return [name, isInstalled ? label : `${label} (not installed)`] as const;
  });
  return (
    <>
      {all.length > 14 && (
        <label class="search">
          <span class="unseen">Search upscalers</span>
          <input
            type="search"
            placeholder="Search upscalers"
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </label>
      )}
      <Choice
        label="Upscaler"
        value={upscaler}
        options={options}
        effect={facts && `Good for ${facts.goodFor}`}
        onChange={(value) => choose({ upscaler: value })}
      />
    </>
  );
}

function Faces(): JSX.Element {
  const { isFaceEnhance } = settings.value;
  return (
    <>
      <Switch
        label="Restore faces"
        isOn={isFaceEnhance}
        effect="Redraws the faces that are found; needs the face models"
        onChange={(isOn) => choose({ isFaceEnhance: isOn })}
      />
      {isFaceEnhance && <FaceStrength />}
    </>
  );
}

/** What comes out, before anything is begun. */
function Expected(): JSX.Element {
  const item = chosenItem.value;
  const size = item?.size.value;
  const format = item?.file?.type.replace('image/', '') ?? 'png';
  const { size: out, seconds, bytes } = estimate(size ?? EXAMPLE, settings.value, speeds.value, format);
  return (
    <p class="expected">
      {size ? 'The chosen picture' : `A picture of ${inPixels(EXAMPLE)}`} becomes <strong>{inPixels(out)}</strong>, in
      about {durationInWords(seconds)}, about {inBytes(bytes)}
    </p>
  );
}
