import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import type { z } from 'zod';

/**
 * A schema that refuses what `schema` refuses, and hands on the fields that it knows as they were given: the work reads them by its
 * own form, which takes them as a caller writes them ("denoise,face") and not as a form reads them (a list).
 */
export function fieldsAsGiven<T extends z.ZodObject>(schema: T): StandardSchemaWithJSON<z.input<T>> {
  const standard = schema['~standard'];
  return {
    '~standard': {
      ...{ version: standard.version, vendor: standard.vendor, jsonSchema: standard.jsonSchema },
      validate: async (given) => {
        const result = await standard.validate(given);
        if (result.issues) return result;
        const known = Object.entries(given as object).filter(([name]) => Object.hasOwn(schema.shape, name));
        return { value: Object.fromEntries(known) as z.input<T> };
      },
    },
  };
}
