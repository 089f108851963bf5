import type { z } from 'zod';
import type { FaceOptions } from './face-task-options.ts';
import { faceOptions } from './face-task-options.ts';
import type { FindFacesOptions } from './find-faces-options.ts';
import { findFacesOptions } from './find-faces-options.ts';
import { outputOptions } from './output-options.ts';
import type { RestoreOptions, RestoreStep } from './restore-options.ts';
import { colorizeOptions, restoreOptions, restorePlan } from './restore-options.ts';
import type { UpscaleOptions } from './upscale-options.ts';
import { oneSize, upscaleOptions } from './upscale-options.ts';
import { flag } from './values.ts';

/** What is done to an image. */
export type MethodWork =
  | { readonly kind: 'hires-fix'; readonly options: UpscaleOptions }
  | { readonly kind: 'face'; readonly options: FaceOptions }
  | { readonly kind: 'find-faces'; readonly options: FindFacesOptions }
  | { readonly kind: 'restore'; readonly steps: readonly RestoreStep[]; readonly options: RestoreOptions };

/** What a request does not say, and neither does its schema. */
export interface MethodDefaults {
  /** The step of a restoration that names none. */
  readonly modelRestore: RestoreStep;
}

/** What there is to know of a way in which work is asked for. */
interface MethodTraits {
  /** In one line, for the documents. */
  readonly summary: string;
  /** What is put after the name of an image for that of its result. */
  readonly suffix: string;
  /** Whether more than a size is asked for: always, never, or where faces are to be restored as well. */
  readonly restores: 'always' | 'never' | 'where faces are asked for';
  /** Whether one image that fails ends its whole job. */
  readonly isAllOrNothing: boolean;
}

/** A method that takes images in a form. */
export interface ImageMethod extends MethodTraits {
  /**
   * What `POST /{method}` takes and answers: one image, answered by an `image` or by a list of `faces`, or several images,
   * answered by a `job`. `POST /jobs` and the command line take all of them.
   */
  readonly answer: 'image' | 'faces' | 'job';
  /** The fields of the form, with those of the result. */
  readonly form: z.ZodObject;
  /** What is to be done, from the fields as the form has read them. */
  workOf(values: Readonly<Record<string, unknown>>, defaults: MethodDefaults): MethodWork;
}

/** A method whose request is of another kind, and has a route of its own. */
interface OtherMethod extends MethodTraits {
  readonly answer: 'other';
}

/** Every way in which work is asked for. This is where one is added: the service, the documents and the command line read it here. */
export const METHODS = {
  upscale: imageMethod({
    summary: 'Enlarge an image',
    suffix: '_upscaled',
    restores: 'where faces are asked for',
    isAllOrNothing: false,
    answer: 'image',
    form: upscaleOptions.extend(outputOptions.shape).check(oneSize()),
    workOf: (values) => ({ kind: 'hires-fix', options: upscaleOptions.parse(values) }),
  }),
  enhance: imageMethod({
    summary: 'Enlarge images and restore their faces, as a job',
    suffix: '_upscaled',
    restores: 'where faces are asked for',
    isAllOrNothing: false,
    answer: 'job',
    form: upscaleOptions.extend({ ...outputOptions.shape, face_enhance: flag().default(true) }).check(oneSize()),
    workOf: ({ face_enhance: isFaceEnhance, ...values }) => ({
      kind: 'hires-fix',
      options: upscaleOptions.parse({ is_face_enhance: isFaceEnhance, ...values }),
    }),
  }),
  restore: imageMethod({
    summary: 'Repair an image at its own size',
    suffix: '_restored',
    restores: 'always',
    isAllOrNothing: false,
    answer: 'image',
    form: restoreOptions.extend(outputOptions.shape),
    workOf: (values, { modelRestore }) => ({ kind: 'restore', ...restorePlan(values, modelRestore) }),
  }),
  colorize: imageMethod({
    summary: 'Colorize an image',
    suffix: '_colorized',
    restores: 'always',
    isAllOrNothing: false,
    answer: 'image',
    form: colorizeOptions.extend(outputOptions.shape),
    workOf: (values) => ({ kind: 'restore', ...restorePlan(colorizeOptions.parse(values), 'colorize') }),
  }),
  face: imageMethod({
    summary: 'Restore the faces of an image',
    suffix: '_restored',
    restores: 'always',
    isAllOrNothing: false,
    answer: 'image',
    form: faceOptions.safeExtend(outputOptions.shape),
    workOf: (values) => ({ kind: 'face', options: faceOptions.parse(values) }),
  }),
  faces: imageMethod({
    summary: 'Find the faces of an image',
    suffix: '_faces',
    restores: 'never',
    isAllOrNothing: false,
    answer: 'faces',
    form: findFacesOptions,
    workOf: (options) => ({ kind: 'find-faces', options }),
  }),
  'hires-fix': {
    summary: 'Enlarge images sent as JSON',
    suffix: '_upscaled',
    restores: 'where faces are asked for',
    isAllOrNothing: true,
    answer: 'other',
  },
  preview: {
    summary: 'Enlarge a region of an image by one or several upscalers, each as it would in the whole image',
    suffix: '_preview',
    restores: 'never',
    isAllOrNothing: false,
    answer: 'other',
  },
  extras: {
    summary: 'Enlarge images as the extras of the A1111 WebUI do',
    suffix: '_upscaled',
    restores: 'where faces are asked for',
    isAllOrNothing: true,
    answer: 'other',
  },
  download: {
    summary: 'Download a model, as a job; does nothing if it is installed',
    suffix: '', // has no results
    restores: 'never',
    isAllOrNothing: true,
    answer: 'other',
  },
} as const satisfies Readonly<Record<string, ImageMethod | OtherMethod>>;

/** The name of a method, as `GET /jobs/{id}` has it. */
export type MethodName = keyof typeof METHODS;
/** A method that takes images in a form. */
export type ImageMethodName = {
  [Name in MethodName]: (typeof METHODS)[Name] extends ImageMethod ? Name : never;
}[MethodName];

/** The methods that take images in a form, in the order of the table. */
export const IMAGE_METHODS: ReadonlyMap<ImageMethodName, ImageMethod> = new Map(
  (Object.entries(METHODS) as [ImageMethodName, ImageMethod | OtherMethod][]).flatMap(([name, method]) =>
    method.answer === 'other' ? [] : [[name, method] as const],
  ),
);

/** What is put after the names of images for those of their results, whatever the method. */
export const RESULT_SUFFIXES: ReadonlySet<string> = new Set(
  Object.values(METHODS).flatMap(({ suffix }) => (suffix === '' ? [] : [suffix])),
);

/** Joins a form with what reads its values. */
function imageMethod<S extends z.ZodObject>(
  method: Omit<ImageMethod, 'form' | 'workOf'> & {
    readonly form: S;
    workOf(values: z.output<S>, defaults: MethodDefaults): MethodWork;
  },
): ImageMethod {
  return method;
}
