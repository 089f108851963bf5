import { z } from 'zod';
import { plainWords } from './plain-words.ts';

// Readers of values that come as text: variables of the environment, fields of forms and queries, flags. `z.coerce` reads ''
// as 0 and 'false' as true; these read text as people write it. No message has a name in it: the same value is a field here
// and a flag or a variable there, and whoever shows the message puts the name that it knows in front.

const TRUTH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  ['yes', true],
  ['no', false],
  ['on', true],
  ['off', false],
]);
/** Digits, perhaps with a point, and a power of ten. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const TRUTH = [...TRUTH_WORDS.keys()].join(', ').replace(/, (?=\w+$)/, ' or ');

/** Reads a value by a schema; what is wrong with it is told in words for people, also where the schema has none. */
export function readBy<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  return schema.safeParse(value, { error: plainWords });
}

/**
 * What a schema says of a value that it refused, such as "must be above 0": the second half of "name: ...".
 * @param issue the first of those that zod found
 */
export function expectation(issue: z.core.$ZodIssue | undefined): string {
  return issue?.message ?? 'is not valid';
}

/** A number above `above`, or text of one. */
export function numberAbove(above: number) {
  const error = `must be a number above ${above}`;
  return numberOf(error).pipe(z.number().gt(above, { error, abort: true }));
}

/** A whole number from `min` to `max`, or text of one. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER) {
  const { error, ofLarge } = wholeErrors('must be', { min, max });
  return numberOf(error).pipe(
    z.int({ error: ofLarge }).min(min, { error, abort: true }).max(max, { error, abort: true }),
  );
}

/** A number from 0 to 1, or text of one. */
export function fraction() {
  const error = 'must be a number from 0 to 1';
  return numberOf(error).pipe(z.number().min(0, { error, abort: true }).max(1, { error, abort: true }));
}

/** One of some numbers, or text of one. */
export function numberOneOf<const Value extends number>(values: readonly Value[], error: string) {
  return numberOf(error).pipe(z.literal(values, { error }));
}

/** One of some words. */
export function oneOf<const Value extends string>(values: readonly Value[]) {
  return z.enum(values, { error: `must be ${values.join(', ')}` });
}

/** Text of at most `max` characters, and not none. */
export function text(max: number) {
  const error = `must be text of 1 to ${max} characters`;
  return z.string({ error }).min(1, { error }).max(max, { error });
}

/** A truth value, or one of the words for it, in capitals or not; of numbers, which JSON has, 1 and 0. */
export function flag() {
  const error = `must be ${TRUTH}`;
  const bit = z
    .number()
    .refine((value) => value === 1 || value === 0)
    .transform((value) => value === 1);
  return z.union([z.boolean(), truthOf(error), bit], { error });
}

/** The word `auto`, or what the schema takes. */
export function autoOr<T extends z.ZodType>(schema: T) {
  return z.union([z.literal('auto'), schema], {
    error: ({ errors }) => expectation(errors[1]?.[0]).replace(/^(must be|expected) /, '$&auto or '),
  });
}

/** Text of a whole number from `min` to `max`, in digits alone. */
export function wholeText({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) {
  const { error, ofLarge } = wholeErrors('expected', { min, max });
  return numberText(/^\d{1,300}$/, error).pipe(z.int({ error: ofLarge }).min(min, { error }).max(max, { error }));
}

/** Text of a number above `above`, up to `max`, without an exponent. */
export function decimalText({ above, max }: { above: number; max: number }) {
  const error = `expected a number above ${above} and at most ${max}`;
  return numberText(/^\d{1,16}(\.\d{1,16})?$/, error).pipe(z.number().gt(above, { error }).max(max, { error }));
}

/** Text of a number from 0 to 1, without an exponent. */
export function fractionText() {
  const error = 'expected a number from 0 to 1';
  return numberText(/^[01](\.\d{1,16})?$/, error).pipe(z.number().max(1, { error }));
}

/** Text of a truth value, in any case: 1, true, yes, on; 0, false, no, off. */
export function flagText() {
  return truthOf(`expected ${TRUTH}`);
}

/** With as few as are tried in a minute (`KeyCheck`), these many characters take years. */
const MIN_KEY_LENGTH = 4;

/** Keys, comma-separated. */
export function keys() {
  return z.string().transform((text, context) => {
    const given = itemsOf(text);
    if (!given.every((key) => /^[\x21-\x7e]+$/.test(key))) {
      context.addIssue('expected keys of printable ASCII characters without spaces, comma-separated');
    }
    if (given.some((key) => key.length < MIN_KEY_LENGTH)) {
      context.addIssue(`expected keys of at least ${MIN_KEY_LENGTH} characters: shorter ones are guessed`);
    }
    // A template that rendered to nothing must not open the service to everyone.
    if (given.length === 0) context.addIssue('expected at least one key; leave it unset for a service without keys');
    return given;
  });
}

/** Text of an http or https URL, which stays text. */
export function httpUrl() {
  return z
    .string()
    .refine((text) => /^https?:$/.test(parseUrl(text)?.protocol ?? ''), { error: 'expected an http or https URL' });
}

/** Web origins, comma-separated, each with or without a slash at its end. */
export function origins() {
  return z.string().transform((text, context) => {
    const urls = itemsOf(text).map((origin) => [origin, parseUrl(origin)] as const);
    if (!urls.every(([, url]) => isOrigin(url))) {
      context.addIssue('expected origins such as https://example.org, comma-separated');
    }
    return urls.map(([origin, url]) => url?.origin ?? origin);
  });
}

/** Names or addresses as a `Host` header has them, without a port, comma-separated; read in lower case. */
export function hosts() {
  return z.string().transform((text, context) => {
    const given = itemsOf(text).map((host) => host.toLowerCase());
    if (!given.every((host) => /^([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/.test(host))) {
      context.addIssue('expected names or addresses without scheme and port, such as up.example.org, comma-separated');
    }
    return given;
  });
}

/** The URL that a text is; undefined where it is none. */
export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function truthOf(error: string) {
  return z.string({ error }).transform((text, context) => {
    const value = TRUTH_WORDS.get(text.trim().toLowerCase());
    if (value === undefined) context.addIssue(error);
    return value ?? false;
  });
}

/** What is said of what is no such number, and of one that is larger than JavaScript counts. */
function wholeErrors(verb: string, { min, max }: { readonly min: number; readonly max: number }) {
  const bounded = `${verb} a whole number from ${min} to ${max}`;
  const error = max === Number.MAX_SAFE_INTEGER ? `${verb} a whole number of at least ${min}` : bounded;
  const ofLarge = ({ code }: z.core.$ZodRawIssue): string => (code === 'too_big' ? bounded : error);
  return { error, ofLarge };
}

/** A finite number, or text of one as people write it: JavaScript also takes '' for 0, 0x10 for 16 and 0b11 for 3. */
function numberOf(error: string) {
  const text = z.string().trim().regex(DECIMAL).transform(Number);
  return z.union([z.number(), text], { error }).pipe(z.number({ error }));
}

function numberText(pattern: RegExp, error: string) {
  return z.string().regex(pattern, { error, abort: true }).transform(Number);
}

function itemsOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

function isOrigin(url: URL | undefined): boolean {
  return url !== undefined && url.origin !== 'null' && url.pathname + url.search + url.hash === '/';
}
