import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import winston from 'winston';
import { createLogger } from '../../app/logger.ts';
import { TaskFailedError } from '../../app/worker/errors.ts';

describe('a line of the log', () => {
  /** What the service's own logger writes, to a stream of the test's. */
  const logged = (write: (logger: winston.Logger) => void): Record<string, unknown> => {
    const logger = createLogger({ logLevel: 'info' });
    const stream = new PassThrough();
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types transports as interfaces
    logger.clear().add(new winston.transports.Stream({ stream }));
    write(logger);
    return JSON.parse(String(stream.read())) as Record<string, unknown>;
  };

  it('has the message, the stack, the code and the causes of an error in a field', () => {
    const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const error = new Error('not written', { cause });
    const line = logged((logger) => logger.error('failed', { error, job_id: 'a' }));
    expect(line).toMatchObject({
      level: 'error',
      message: 'failed',
      job_id: 'a',
      error: { name: 'Error', message: 'not written', cause: { message: 'no space left', code: 'ENOSPC' } },
    });
    expect((line['error'] as { stack: string }).stack).toContain('logger.test.ts');
  });

  it('has them of a child logger too, and of errors of our own', () => {
    const error = new TaskFailedError({
      code: 'ERR_BAD_IMAGE',
      fault: 'image',
      message: 'no image',
      stack: 'where it was',
    });
    const line = logged((logger) => logger.child({ request_id: 'r' }).warn('failed', { error }));
    expect(line).toMatchObject({
      request_id: 'r',
      error: { name: 'TaskFailedError', code: 'ERR_BAD_IMAGE', message: 'no image', stack: 'where it was' },
    });
  });

  it('ends with errors that are causes of themselves', () => {
    const error = new Error('round');
    error.cause = error;
    expect(logged((logger) => logger.error('failed', { error }))).toMatchObject({ error: { message: 'round' } });
  });

  it('keeps fields that are no errors as they are', () => {
    expect(logged((logger) => logger.info('listening', { url: 'http://x', nothing: undefined }))).toEqual({
      level: 'info',
      message: 'listening',
      url: 'http://x',
      timestamp: expect.any(String),
    });
  });
});
