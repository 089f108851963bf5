import { effect, signal } from '@preact/signals';
import { isNetwork, upscalerFacts } from './upscalers.ts';

/** What is done with a picture, as the reader has chosen it. Plain data: it is kept with each picture. */
export interface Settings {
  readonly method: 'upscale' | 'restore';
  readonly upscaler: string;
  readonly sizing: 'scale' | 'width';
  readonly scale: number;
  readonly width: number;
  readonly isFaceEnhance: boolean;
  readonly faceStrength: number;
  /** REALESR_GENERAL_X4_V3 only. */
  readonly denoise: number;
  readonly colorFix: string;
  readonly steps: readonly RestoreStep[];
  readonly faceModel: string;
  /** CodeFormer only. */
  readonly fidelity: number;
  readonly colorizeModel: string;
  readonly format: string;
  readonly quality: number;
}

export const RESTORE_STEPS = ['denoise', 'deblur', 'face', 'colorize'] as const;
export type RestoreStep = (typeof RESTORE_STEPS)[number];

export const FACE_MODELS: Readonly<Record<string, string>> = {
  codeformer: 'CodeFormer',
  gfpgan: 'GFPGAN 1.4',
  restoreformer: 'RestoreFormer',
};
export const COLORIZE_MODELS: Readonly<Record<string, string>> = {
  modelscope: 'DDColor, general',
  artistic: 'DDColor, vivid',
  paper_tiny: 'DDColor, small and quick',
  'deoldify-artistic': 'DeOldify, artistic',
  'deoldify-stable': 'DeOldify, stable',
};

/** What is kept of a picture's own tones after the network, which shifts flat ones by some levels. */
export const COLOR_FIXES: Readonly<Record<string, string>> = {
  none: 'as they come out',
  mean: "the picture's mean",
  wavelet: "the picture's own",
};

const STORED = 'hiresfix-settings';
const LOSSY = new Set(['jpeg', 'webp', 'avif']);

/** What is chosen before anything is. */
export const FIRST_SETTINGS: Settings = {
  method: 'upscale',
  upscaler: 'AUTO',
  sizing: 'scale',
  scale: 2,
  width: 3840,
  isFaceEnhance: false,
  faceStrength: 0.8,
  denoise: 1,
  colorFix: 'none',
  steps: ['face', 'colorize'],
  faceModel: 'codeformer',
  fidelity: 0.5,
  colorizeModel: 'modelscope',
  format: 'auto',
  quality: 90,
};

/** What is chosen now; remembered by the browser. */
export const settings = signal<Settings>({ ...FIRST_SETTINGS, ...stored() });

effect(() => localStorage.setItem(STORED, JSON.stringify(settings.value)));

/** Changes some of what is chosen. */
export function choose(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change };
}

/** Whether a format has a quality to choose. */
export function hasQuality(format: string): boolean {
  return LOSSY.has(format);
}

/** Whether tones are to be given back: only a network shifts them. */
export function hasColorFix({ upscaler, colorFix }: Settings): boolean {
  return colorFix !== 'none' && isNetwork(upscaler);
}

/** The fields of the request that these settings stand for. */
export function fieldsOf(chosen: Settings): Readonly<Record<string, string>> {
  const output = {
    ...(chosen.format !== 'auto' && { output_format: chosen.format }),
    ...(hasQuality(chosen.format) && { quality: String(chosen.quality) }),
  };
  return chosen.method === 'restore'
    ? { ...restoreFields(chosen), ...output }
    : { ...upscaleFields(chosen), ...output };
}

/** The settings in words: `2x with Compact 2x, faces restored`. */
export function sentenceOf(chosen: Settings): string {
  const format = chosen.format === 'auto' ? '' : `, as ${chosen.format.toUpperCase()}`;
  if (chosen.method === 'restore') return `${stepsInWords(chosen)}${format}`;
  const size = chosen.sizing === 'scale' ? `${chosen.scale}×` : `${chosen.width} px wide`;
  const faces = chosen.isFaceEnhance ? ', faces restored' : '';
  const tones = hasColorFix(chosen) ? ', tones as they were' : '';
  return `${size} with ${upscalerFacts(chosen.upscaler).label}${tones}${faces}${format}`;
}

function upscaleFields(chosen: Settings): Readonly<Record<string, string>> {
  return {
    upscaler: chosen.upscaler,
    ...(chosen.sizing === 'scale' ? { scale: String(chosen.scale) } : { width: String(chosen.width) }),
    ...(chosen.isFaceEnhance && {
      is_face_enhance: 'true',
      face_restoration_strength: String(chosen.faceStrength),
    }),
    ...(chosen.upscaler === 'REALESR_GENERAL_X4_V3' && { denoise_strength: String(chosen.denoise) }),
    ...(hasColorFix(chosen) && { colour_fix: chosen.colorFix }),
  };
}

function restoreFields(chosen: Settings): Readonly<Record<string, string>> {
  const { steps } = chosen;
  return {
    steps: RESTORE_STEPS.filter((step) => steps.includes(step)).join(','),
    ...(steps.includes('face') && {
      face_model: chosen.faceModel,
      face_restoration_strength: String(chosen.faceStrength),
      ...(chosen.faceModel === 'codeformer' && { fidelity: String(chosen.fidelity) }),
    }),
    ...(steps.includes('colorize') && { colorize_model: chosen.colorizeModel }),
  };
}

function stepsInWords({ steps, faceModel, colorizeModel }: Settings): string {
  const words: Readonly<Record<RestoreStep, string>> = {
    denoise: 'noise removed',
    deblur: 'sharpened',
    face: `faces by ${FACE_MODELS[faceModel] ?? faceModel}`,
    colorize: `coloured by ${COLORIZE_MODELS[colorizeModel] ?? colorizeModel}`,
  };
  const text = RESTORE_STEPS.filter((step) => steps.includes(step))
    .map((step) => words[step])
    .join(', ');
  return text === '' ? 'Nothing to do' : text.charAt(0).toUpperCase() + text.slice(1);
}

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<Settings>;
  } catch {
    return {};
  }
}
