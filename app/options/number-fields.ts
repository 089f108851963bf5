import { z } from 'zod';

/** A number that may come as text (forms, queries, command lines); unlike `z.coerce`, empty text is not 0. */
export const number = (name: string) =>
  z
    .union([z.number(), z.string().trim().min(1).transform(Number)], { error: `${name} must be a number` })
    .pipe(z.number({ error: `${name} must be a finite number` }));
/** A whole number of at least `least`. */
export const whole = (name: string, least: number) =>
  number(name).pipe(
    z.int({ error: `${name} must be a whole number` }).min(least, { error: `${name} must be at least ${least}` }),
  );
/** The word `auto`, or what the schema takes. */
export const autoOr = <T extends z.ZodType>(schema: T) => z.union([z.literal('auto'), schema]);
/** A number from 0 to 1. */
export const fraction = (name: string) => {
  const error = `${name} must be 0 to 1`;
  return number(name).pipe(z.number().min(0, { error }).max(1, { error }));
};

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

/** A truth value that may come as text, as people and browsers write it. */
export const flag = (name: string) => {
  const error = `${name} must be true or false`;
  const text = z.string({ error }).transform((given, context) => {
    const value = FLAGS[given.trim().toLowerCase()];
    if (value === undefined) context.addIssue(error);
    return value ?? false;
  });
  return z.union([z.boolean(), text], { error });
};
