import { z } from 'zod';

// `z.coerce` reads '' as 0 and 'false' as true; these read text as people write it, and say what they expected.

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  false: false,
  '0': false,
  no: false,
};

export function whole({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) {
  const error = `expected a whole number ${max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
}

export function decimal({ above, max }: { above: number; max: number }) {
  const error = `expected a number above ${above} and at most ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}(\.\d{1,16})?$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().gt(above, { error }).max(max, { error }));
}

export function share() {
  const error = 'expected a number from 0 to 1';
  return z
    .string()
    .regex(/^[01](\.\d{1,16})?$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().max(1, { error }));
}

export function boolean() {
  return z.string().transform((text, context) => {
    const value = BOOLEANS[text.toLowerCase()];
    if (value === undefined) context.addIssue('expected true, false, 1, 0, yes or no');
    return value ?? false;
  });
}

export function autoOr<T extends z.ZodType<number, string>>(schema: T) {
  return z.string().transform((text, context) => {
    if (text === 'auto') return 'auto' as const;
    const parsed = schema.safeParse(text);
    if (!parsed.success)
      context.addIssue(`expected auto or ${String(parsed.error.issues[0]?.message).replace('expected ', '')}`);
    return parsed.data ?? 0;
  });
}

export function keys() {
  return z.string().transform((text, context) => {
    const given = text
      .split(',')
      .map((key) => key.trim())
      .filter(Boolean);
    if (!given.every((key) => /^[\x21-\x7e]+$/.test(key))) {
      context.addIssue('expected keys of printable ASCII characters without spaces, comma-separated');
    }
    return given;
  });
}

export function httpUrl() {
  return z
    .string()
    .refine((text) => /^https?:$/.test(parseUrl(text)?.protocol ?? ''), { error: 'expected an http or https URL' });
}

export function origins() {
  return z.string().transform((text, context) => {
    const given = text
      .split(',')
      .map((origin) => origin.trim())
      .filter(Boolean);
    for (const origin of given) {
      const url = parseUrl(origin);
      if (url === undefined || url.origin === 'null' || url.pathname + url.search + url.hash !== '/') {
        context.addIssue('expected origins such as https://example.org, comma-separated');
        break;
      }
    }
    return given.map((origin) => parseUrl(origin)?.origin ?? origin);
  });
}

export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
