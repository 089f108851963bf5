import { z } from 'zod';

/** A JSON Schema, as an OpenAPI 3.1 document holds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What values a zod schema takes. Text that stands for numbers and truth values is left out: a form has nothing but text, and
 * what matters is what the text may say.
 */
export function schemaOf(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // With defaults everything is there in the end; a caller need not send it.
      for (const name of ['$schema', 'required', 'additionalProperties'] as const)
        Reflect.deleteProperty(jsonSchema, name);
      const kinds = jsonSchema.anyOf?.filter((one) => Object.keys(one).length > 0);
      if (kinds) jsonSchema.anyOf = kinds;
      if (kinds?.length === 1) {
        delete jsonSchema.anyOf;
        Object.assign(jsonSchema, kinds[0]);
      }
      if (zodSchema._zod.def.type === 'pipe') narrow(jsonSchema, schemaOf((zodSchema as z.ZodPipe).in as z.ZodType));
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  Reflect.deleteProperty(json, '$schema');
  return json;
}

/** What comes out of a pipe has been through what is before it: its limits hold as well. */
function narrow(numbers: z.core.JSONSchema.BaseSchema, before: JsonSchema): void {
  if (before['type'] !== 'integer' && before['type'] !== 'number') return;
  Object.assign(numbers, { ...before, ...numbers }, before['type'] === 'integer' && { type: 'integer' });
}

/** An object's schema with some of its properties required. */
export function required(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  return { ...schema, required: names };
}
