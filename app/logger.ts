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
    format: combine(timestamp(), errors({ stack: true, cause: true }), json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types Console as an interface
    transports: [new winston.transports.Console({ stderrLevels: LEVELS })],
  });
}
