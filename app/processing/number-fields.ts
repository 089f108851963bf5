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
