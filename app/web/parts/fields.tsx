import type { ComponentChildren, JSX, TargetedEvent } from 'preact';
import { useId } from 'preact/hooks';
import { useSignal } from '@preact/signals';

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** What it does, in one line. */
  readonly effect: string;
  readonly onChange: (value: number) => void;
}

/** A number with its slider, and what it does. */
export function NumberSlider({ label, value, min, max, step, effect, onChange }: SliderProps): JSX.Element {
  /** What is being typed, which nothing else may change. Once that is done, what was taken stands there, whatever was typed. */
  const draft = useSignal<string | undefined>(undefined);
  const type = (event: TargetedEvent<HTMLInputElement>): void => {
    draft.value = event.currentTarget.value;
    take(event);
  };
  const settle = (): void => {
    draft.value = undefined;
  };
  /** At once: a picture may be dropped while the hand is still in the field. */
  const take = ({ currentTarget: { value: text } }: TargetedEvent<HTMLInputElement>): void => {
    const typed = Number(text);
    if (text !== '' && (typed > 0 || (typed === 0 && min === 0))) onChange(typed);
  };
  const id = useId();
  return (
    <div class="field">
      <div class="named">
        <label for={id}>{label}</label>
        <input
          id={id}
          type="number"
          value={draft.value ?? value}
          min={min}
          step={step}
          onInput={type}
          onChange={settle}
          onBlur={settle}
        />
      </div>
      <input type="range" aria-label={`${label}, slider`} {...{ value, min, max, step }} onInput={take} />
      <small>{effect}</small>
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly effect?: ComponentChildren;
  readonly onChange: (value: string) => void;
}

/** One of several, and what it does. */
export function Choice({ label, value, options, effect, onChange }: ChoiceProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <div class="named">
        <label for={id}>{label}</label>
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([one, text]) => (
            <option key={one} value={one}>
              {text}
            </option>
          ))}
        </select>
      </div>
      {effect !== undefined && <small>{effect}</small>}
    </div>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly effect: string;
  readonly onChange: (isOn: boolean) => void;
}

/** Something that is done or not, and what it does. */
export function Switch({ label, isOn, effect, onChange }: SwitchProps): JSX.Element {
  return (
    <div class="field">
      <label class="switch">
        <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
        {label}
      </label>
      <small>{effect}</small>
    </div>
  );
}
