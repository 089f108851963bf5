import type { JSX } from 'preact';
import { models } from '../state/models.ts';
import type { RestoreStep } from '../state/settings.ts';
import { choose, COLORIZE_MODELS, FACE_MODELS, RESTORE_STEPS, settings } from '../state/settings.ts';
import { FaceStrength } from './face-strength.tsx';
import { Choice, NumberSlider, Switch } from './fields.tsx';
import { OutputFields } from './output-fields.tsx';

const STEP_WORDS: Readonly<Record<RestoreStep, readonly [label: string, effect: string]>> = {
  denoise: ['Remove noise', 'For grainy and dark photographs (NAFNet)'],
  deblur: ['Sharpen', 'Takes back the blur of a moved camera (NAFNet)'],
  face: ['Restore faces', 'Redraws the faces that are found'],
  colorize: ['Colour', 'Gives colours to black and white photographs'],
};
/** What each step needs, by catalogue name. */
const STEP_MODELS: Readonly<Record<RestoreStep, readonly string[]>> = {
  denoise: ['nafnet-sidd-width64'],
  deblur: ['nafnet-gopro-width64'],
  face: ['retinaface-resnet50', 'parsenet'],
  colorize: [],
};
const FACE_FILES: Readonly<Record<string, string>> = { gfpgan: 'gfpgan-1.4' };

/** What is repaired, in the order in which it is done, and how. */
export function RestorePanel(): JSX.Element {
  const { steps } = settings.value;
  const change = (step: RestoreStep, isOn: boolean): void => {
    choose({ steps: RESTORE_STEPS.filter((one) => (one === step ? isOn : steps.includes(one))) });
  };
  return (
    <section class="panel" aria-label="What is repaired">
      <p>The picture keeps its size. Steps are done in this order:</p>
      {RESTORE_STEPS.map((step) => (
        <div key={step}>
          <Switch
            label={STEP_WORDS[step][0]}
            isOn={steps.includes(step)}
            effect={STEP_WORDS[step][1]}
            onChange={(isOn) => change(step, isOn)}
          />
          {steps.includes(step) && step === 'face' && <FaceFields />}
          {steps.includes(step) && step === 'colorize' && <ColorFields />}
        </div>
      ))}
      <Missing />
      <OutputFields />
    </section>
  );
}

function FaceFields(): JSX.Element {
  const { faceModel, fidelity } = settings.value;
  return (
    <div class="inset">
      <Choice
        label="Faces by"
        value={faceModel}
        options={Object.entries(FACE_MODELS)}
        onChange={(value) => choose({ faceModel: value })}
      />
      {faceModel === 'codeformer' && (
        <NumberSlider
          label="Likeness"
          value={fidelity}
          min={0}
          max={1}
          step={0.05}
          effect="0 is the best looking face, 1 the most like the one given"
          onChange={(value) => choose({ fidelity: Math.min(1, value) })}
        />
      )}
      <FaceStrength />
    </div>
  );
}

function ColorFields(): JSX.Element {
  return (
    <div class="inset">
      <Choice
        label="Coloured by"
        value={settings.value.colorizeModel}
        options={Object.entries(COLORIZE_MODELS)}
        onChange={(value) => choose({ colorizeModel: value })}
      />
    </div>
  );
}

/** Models that the steps need and that are not installed: said before a job fails for want of them. */
function Missing(): JSX.Element | null {
  const { steps, faceModel, colorizeModel } = settings.value;
  const color = colorizeModel.startsWith('deoldify') ? colorizeModel : `ddcolor-${colorizeModel.replace('_', '-')}`;
  const needed = steps.flatMap((step) => [
    ...STEP_MODELS[step],
    ...(step === 'face' ? [FACE_FILES[faceModel] ?? faceModel] : []),
    ...(step === 'colorize' ? [color] : []),
  ]);
  const missing = models.value.filter(({ name, installed }) => needed.includes(name) && !installed);
  if (missing.length === 0) return null;
  return (
    <p class="note">
      Not installed: {missing.map(({ name }) => name).join(', ')}. The first job fetches what may be downloaded; see
      Models below.
    </p>
  );
}
