import { z } from 'zod';

/** A JSON Schema, as an OpenAPI 3.1 document holds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One of the events of a stream; of the media type `text/event-stream`, in which they are text. */
export const SERVER_SENT_EVENT: JsonSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    event: { type: 'string' },
    data: { type: 'string', contentMediaType: 'application/json' },
  },
};

export const TEXT: JsonSchema = { type: 'string' };
/** A file, or what else is no text. */
export const BYTES: JsonSchema = { type: 'string', format: 'binary' };

/** Marks what is text or a number in a request, and something else by a transformation. Not part of what is answered. */
const STANDS_IN = 'x-stands-in';

/**
 * What values a zod schema takes. Text that stands for numbers and truth values is left out, as are the numbers 1 and 0: a form has nothing but text, and
 * what matters is what the text may say.
 */
export function schemaOf(schema: z.ZodType): JsonSchema {
  // With defaults everything is there in the end; a caller need not send it.
  return jsonSchemaOf(schema, ['$schema', 'required', 'additionalProperties']);
}

/** What is answered, of a zod schema: with what is always there. */
export function answerSchemaOf(schema: z.ZodType): JsonSchema {
  return jsonSchemaOf(schema, ['$schema', 'additionalProperties']);
}

function jsonSchemaOf(
  schema: z.ZodType,
  left: readonly ('$schema' | 'required' | 'additionalProperties')[],
): JsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      for (const name of left) Reflect.deleteProperty(jsonSchema, name);
      if (zodSchema._zod.def.type === 'pipe') narrow(jsonSchema, schemaOf((zodSchema as z.ZodPipe).in as z.ZodType));
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  Reflect.deleteProperty(json, '$schema');
  return withoutStandIns(json) as JsonSchema;
}

/**
 * The fields of a form or a query. Both hold nothing but text, once for each name: a list is text with commas there.
 * @returns their schemas by name
 */
export function fieldsOf(schema: z.ZodObject): Readonly<Record<string, JsonSchema>> {
  const fields = Object.entries(schemaOf(schema)['properties'] as Readonly<Record<string, JsonSchema>>);
  return Object.fromEntries(
    fields.map(([name, { items, ...field }]) => [
      name,
      items === undefined ? field : { ...field, type: 'string', pattern: '^\\d{1,6}(,\\d{1,6})*$' },
    ]),
  );
}

/** What stands for an image in base64. */
export const EXAMPLE_IMAGE = 'iVBORw0KGgo…';

/** A schema with a value that it takes. */
export function withExample(schema: JsonSchema, example: JsonSchema): JsonSchema {
  return { ...schema, examples: [example] };
}

/** An object's schema with some of its properties required. */
export function required(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  return { ...schema, required: names };
}

/** What comes out of a pipe has been through what is before it: its limits hold as well. */
function narrow(after: z.core.JSONSchema.BaseSchema, before: JsonSchema): void {
  const isNumber = before['type'] === 'integer' || before['type'] === 'number';
  if (after.type === undefined && (isNumber || before['type'] === 'string')) {
    Object.assign(after, { ...before, ...after, [STANDS_IN]: true });
  } else if (isNumber) {
    Object.assign(after, { ...before, ...after }, before['type'] === 'integer' && { type: 'integer' });
  }
}

/** Takes out of alternatives what stands for something else that is among them. All schemas are complete by then. */
function withoutStandIns(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutStandIns);
  if (typeof value !== 'object' || value === null) return value;
  const { anyOf, ...rest } = value as JsonSchema & { readonly anyOf?: readonly JsonSchema[] };
  const settled = Object.fromEntries(
    Object.entries(rest).flatMap(([name, one]) => (name === STANDS_IN ? [] : [[name, withoutStandIns(one)]])),
  );
  if (!anyOf) return settled;
  const others = anyOf.filter((one) => one[STANDS_IN] !== true).map(withoutStandIns);
  return others.length === 1 ? { ...(others[0] as JsonSchema), ...settled } : { ...settled, anyOf: others };
}
