import type { z } from 'zod';
import type { Step } from './openapi-problems.ts';
import type { JsonSchema } from './openapi-schema.ts';
import { TEXT } from './openapi-schema.ts';

/** What an answer means, its media types, and what its header says. */
export type Answer = readonly [
  meaning: string,
  types: Readonly<Record<string, JsonSchema>>,
  headers?: Readonly<Record<string, JsonSchema>>,
  /** Operations that go on from the answer, by what they are for. */
  links?: Readonly<Record<string, JsonSchema>>,
];

/** To a caller who has what the ETag names. */
export const UNCHANGED: Answer = ['Not modified', {}];

/** What a route answers and takes. */
export interface Operation {
  readonly summary: string;
  readonly tag: 'images' | 'jobs' | 'service' | 'a1111';
  readonly query?: z.ZodObject;
  readonly headers?: readonly (keyof typeof REQUEST_HEADERS)[];
  readonly body?: Readonly<Record<string, JsonSchema>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it does on which something may fail, beside what all routes do: tells which problems it answers with. */
  readonly steps?: readonly Step[];
  /** What its errors are, where they are no problem documents. */
  readonly errors?: JsonSchema;
  /** Whether it is open to callers without a key. */
  readonly isOpen?: boolean;
}

/** Operations by path and method. */
export type Operations = Readonly<Record<string, Readonly<Partial<Record<'get' | 'post' | 'delete', Operation>>>>>;

/** What the header of a request may say. */
export const REQUEST_HEADERS = {
  'Idempotency-Key': header('A name for the request: if it is sent again, the same job answers', {
    ...{ type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
    examples: ['photo-1'],
  }),
  Prefer: header('respond-async: answer 202 at once; wait=N: answer 202 after N seconds at the latest', {
    ...{ type: 'string', pattern: '^(respond-async|wait=[0-9]{1,4})$' },
    examples: ['respond-async'],
  }),
  'Last-Event-ID': header('ID of the last event that an earlier connection received', { type: 'integer', minimum: 0 }),
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** A header of a request or an answer: by default text. */
export function header(description: string, schema: JsonSchema = TEXT): JsonSchema {
  return { description, schema };
}
