import { inspect } from 'node:util';
import winston from 'winston';
import type { Config } from './config.ts';

export type Logger = winston.Logger;

const LEVELS = Object.keys(winston.config.npm.levels);

/**
 * JSON lines on stderr: `timestamp`, `level`, `message`, and fields. Lines about a request carry `request_id`, lines about
 * a job `job_id`. stdout stays free for results.
 */
export function createLogger(config: Pick<Config, 'logLevel'>): Logger {
  const { combine, timestamp, errors, json } = winston.format;
  return winston.createLogger({
    level: config.logLevel,
    format: combine(timestamp(), errors({ stack: true, cause: true }), json({ replacer: spelledOut })),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types Console as an interface
    transports: [new winston.transports.Console({ stderrLevels: LEVELS })],
  });
}

/** Errors in fields, however deep: JSON knows nothing of what they say, because they have it as properties that are not listed. */
function spelledOut(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Error ? describeError(value) : value;
}

const MAX_CAUSES = 8;

/** An error as a line of the log tells it, with what caused it. */
function describeError(error: Error, depth = 0): Readonly<Record<string, unknown>> {
  const { name, message, stack, cause } = error;
  const isTold = cause !== undefined && depth < MAX_CAUSES;
  return {
    ...Object.fromEntries(Object.entries(error)), // a code, and whatever else it says of itself
    name: name === 'Error' ? error.constructor.name : name,
    message,
    stack,
    ...(error instanceof AggregateError && { errors: error.errors as unknown[] }),
    cause: isTold ? (cause instanceof Error ? describeError(cause, depth + 1) : inspect(cause)) : undefined,
  };
}
