import type { JSX } from 'preact';
import { choose, settings } from '../state/settings.ts';
import { NumberSlider } from './fields.tsx';

/** How much of the restored faces is laid over those that were found. */
export function FaceStrength(): JSX.Element {
  return (
    <NumberSlider
      label="How much of them shows"
      value={settings.value.faceStrength}
      min={0}
      max={1}
      step={0.05}
      effect="0 is the face as it was, 1 the restored one alone"
      onChange={(value) => choose({ faceStrength: Math.min(1, value) })}
    />
  );
}
