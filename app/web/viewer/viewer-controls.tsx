import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { copyText } from '../parts/clipboard.ts';
import { TypedNumber } from '../parts/fields.tsx';
import { chosenItem } from '../state/queue.ts';
import type { Mode } from './painter.ts';
import type { SideName } from './sides.ts';
import { choiceFor, choices, sides, unpickedLabel } from './sides.ts';
import { hashOfView } from './view-link.ts';
import { at, chooseMode, enlarging, fit, gain, isFlipped, mode, result, zoomTo } from './view-state.ts';

const MODES: readonly (readonly [Mode, string, string])[] = [
  ['slider', 'Slider', 's'],
  ['side', 'Side by side', 'b'],
  ['difference', 'Difference', 'd'],
];

/** What is compared, and how. */
export function ViewerControls({ onSave }: { readonly onSave: () => void }): JSX.Element {
  return (
    <div class="controls">
      <SidePicker side="left" label="Left" />
      <SidePicker side="right" label="Right" />
      <div class="segments" role="group" aria-label="How both are shown">
        {MODES.map(([value, label, key]) => (
          <button
            key={value}
            type="button"
            aria-pressed={mode.value === value}
            title={`Key ${key}`}
            onClick={() => chooseMode(value)}
          >
            {label}
          </button>
        ))}
      </div>
      <button
        type="button"
        title="Hold, or hold the space bar"
        onPointerDown={() => (isFlipped.value = true)}
        onPointerUp={() => (isFlipped.value = false)}
        onPointerLeave={() => (isFlipped.value = false)}
        onPointerCancel={() => (isFlipped.value = false)}
        onKeyDown={({ key }) => (isFlipped.value = key === ' ' || key === 'Enter')}
        onKeyUp={() => (isFlipped.value = false)}
        onBlur={() => (isFlipped.value = false)}
      >
        Hold for left
      </button>
      {mode.value === 'difference' ? <Gain /> : <Enlarging />}
      <Zoom />
      <button type="button" title="What is seen, as a PNG" onClick={onSave}>
        Save view
      </button>
      <CopyLink />
    </div>
  );
}

/** The address of what is seen, for whoever may see the job; it goes into the address bar too. */
function CopyLink(): JSX.Element | null {
  const said = useSignal('');
  const jobId = chosenItem.value?.jobId.value;
  if (jobId === undefined) return null;
  const copy = (): void => {
    history.replaceState(null, '', hashOfView(jobId, at.peek()));
    const tell = (text: string) => () => (said.value = text);
    copyText(location.href).then(tell('Link copied'), tell('The link is in the address bar'));
  };
  return (
    <>
      <button type="button" title="The address of this place of this result" onClick={copy}>
        Copy link
      </button>
      {said.value !== '' && <span role="status">{said.value}</span>}
    </>
  );
}

function SidePicker({ side, label }: { readonly side: SideName; readonly label: string }): JSX.Element {
  const { picked } = sides[side];
  return (
    <label class="picker">
      {label}
      <select
        aria-label={`${label} side`}
        value={picked.value ?? ''}
        title={choiceFor(side)?.label ?? ''}
        onChange={(event) => (picked.value = event.currentTarget.value || undefined)}
      >
        <option value="">{unpickedLabel(side)}</option>
        {choices.value.map((choice) => (
          <option key={choice.key} value={choice.key}>
            {choice.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Zoom(): JSX.Element {
  const take = (text: string): void => {
    const typed = Number(text);
    if (typed > 0) zoomTo(typed / 100);
  };
  const { width, height } = result.value;
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom out" onClick={() => zoomTo(at.value.zoom / 1.25)}>
        −
      </button>
      <label>
        <span class="unseen">Zoom, per cent of the result</span>
        <TypedNumber min={1} max={3200} value={percentOf(at.value.zoom)} onDone={take} />
        <span title={`${width} × ${height} pixels`}>% of result</span>
      </label>
      <button type="button" aria-label="Zoom in" onClick={() => zoomTo(at.value.zoom * 1.25)}>
        +
      </button>
      <button type="button" title="Key 0" onClick={fit}>
        Fit
      </button>
      <button type="button" title="Key 1" onClick={() => zoomTo(1)}>
        100 %
      </button>
    </div>
  );
}

function percentOf(zoom: number): number {
  return Number((zoom * 100).toFixed(zoom < 0.1 ? 1 : 0));
}

function Enlarging(): JSX.Element {
  return (
    <label class="picker">
      Smaller side as
      <select
        value={enlarging.value}
        onChange={(event) => (enlarging.value = event.currentTarget.value as typeof enlarging.value)}
      >
        <option value="smooth">smooth</option>
        <option value="nearest">its pixels</option>
        <option value="lanczos">by LANCZOS</option>
      </select>
    </label>
  );
}

function Gain(): JSX.Element {
  return (
    <label class="picker">
      Made stronger
      <select value={gain.value} onChange={(event) => (gain.value = Number(event.currentTarget.value))}>
        {[1, 4, 16].map((times) => (
          <option key={times} value={times}>
            {times === 1 ? 'as it is' : `${times} times`}
          </option>
        ))}
      </select>
    </label>
  );
}
