import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useSignal } from '@preact/signals';

interface TypedNumberProps extends Pick<JSX.IntrinsicElements['input'], 'id' | 'min' | 'max' | 'step'> {
  readonly value: number;
  /** Called with every text on the way to the number. */
  readonly onDraft?: (text: string) => void;
  /** Called with the whole text, by Enter or by going elsewhere. */
  readonly onDone?: (text: string) => void;
}

/** A number that is typed. What is being typed nothing else may change; once that is done, what was taken stands there. */
export function TypedNumber({ value, onDraft, onDone, ...range }: TypedNumberProps): JSX.Element {
  const draft = useSignal<string | undefined>(undefined);
  return (
    <input
      type="number"
      {...range}
      value={draft.value ?? value}
      onInput={({ currentTarget: field }) => {
        draft.value = field.value;
        onDraft?.(field.value);
      }}
      onChange={({ currentTarget: field }) => {
        draft.value = undefined;
        onDone?.(field.value);
      }}
      onBlur={() => (draft.value = undefined)}
    />
  );
}

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
  /** At once: a picture may be dropped while the hand is still in the field. */
  const take = (text: string): void => {
    const typed = Number(text);
    if (text !== '' && (typed > 0 || (typed === 0 && min === 0))) onChange(typed);
  };
  const id = useId();
  return (
    <div class="field">
      <div class="named">
        <label for={id}>{label}</label>
        <TypedNumber {...{ id, value, min, step }} onDraft={take} />
      </div>
      <input
        type="range"
        aria-label={`${label}, slider`}
        {...{ value, min, max, step }}
        onInput={(event) => take(event.currentTarget.value)}
      />
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
