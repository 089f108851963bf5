import type { z } from 'zod';

/** What values of a kind are called. Others have the name that JSON gives them. */
const NOUNS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'text',
};

/** What sizes are counted in. */
const UNITS: Readonly<Record<string, string>> = { array: 'items', set: 'items', string: 'characters', file: 'bytes' };

/**
 * What a value must be, in our words, for schemas that have none of their own: second half of "name: ...". No reader of a message
 * is to meet those of the validator, which tell of types of its language.
 */
export function plainWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `must ${amount(issue.origin)} at least ${issue.minimum}${unit(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `must ${amount(issue.origin)} at most ${issue.maximum}${unit(issue.origin, issue.maximum)}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(', ')}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `must have no other fields, such as ${issue.keys[0] ?? 'this'}`;
    default:
      return 'must be of another form';
  }
}

function amount(origin: string): string {
  return origin in UNITS ? 'have' : 'be';
}

function unit(origin: string, count: number | bigint): string {
  const name = UNITS[origin] ?? '';
  return name && ` ${count === 1 ? name.slice(0, -1) : name}`;
}
