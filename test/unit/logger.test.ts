import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
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

  it('has them of errors in lists and deep in fields, and of errors that stand for several', () => {
    const error = new AggregateError([new Error('first'), new Error('second')], 'both');
    const line = logged((logger) => logger.warn('failed', { tried: [{ error }] }));
    expect(line).toMatchObject({
      tried: [{ error: { message: 'both', errors: [{ message: 'first' }, { message: 'second' }] } }],
    });
  });

  it('is one that says why at every place of the service that writes one of an error', () => {
    const written = callsOfLoggers();
    const ofErrors = written.filter(({ fields }) => fields.some((name) => /error/i.test(name)));
    expect(written.length).toBeGreaterThan(25);
    expect(ofErrors.length).toBeGreaterThan(12);
    for (const { place, level, fields } of ofErrors) {
      const error = new Error('the reason', { cause: new Error('what is behind it') });
      const values = Object.fromEntries(fields.map((name) => [name, /error/i.test(name) ? error : 'x']));
      const line = logged((logger) => logger.log(level, 'failed', values));
      for (const name of fields.filter((one) => /error/i.test(one))) {
        expect([place, line[name]]).toEqual([
          place,
          expect.objectContaining({
            message: 'the reason',
            stack: expect.stringContaining('logger.test.ts'),
            cause: expect.objectContaining({ message: 'what is behind it' }),
          }),
        ]);
      }
    }
  });

  it('is written of every error that is caught where one is written', () => {
    const unsaid = callsOfLoggers().filter(({ isInCatch, says }) => isInCatch && !says);
    expect(unsaid.map(({ place }) => place)).toEqual([]);
  });
});

interface LoggerCall {
  /** File and line. */
  readonly place: string;
  readonly level: string;
  /** Names of the fields, in all objects that it is given. */
  readonly fields: readonly string[];
  /** Whether it stands where an error was caught, and whether it has anything of that error. */
  readonly isInCatch: boolean;
  readonly says: boolean;
}

/** Every place in the service that writes a line of the log. */
function callsOfLoggers(): readonly LoggerCall[] {
  const root = join(import.meta.dirname, '../../app');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
    const calls: LoggerCall[] = [];
    const visit = (node: ts.Node): void => {
      const level = ts.isCallExpression(node) ? levelOf(node.expression) : undefined;
      if (ts.isCallExpression(node) && level !== undefined) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        const caught = caughtAround(node);
        const text = node.arguments
          .slice(1)
          .map((argument) => argument.getText())
          .join();
        calls.push({
          place: `${file}:${line + 1}`,
          level,
          fields: node.arguments.slice(1).flatMap(fieldsOf),
          isInCatch: caught !== undefined,
          says: caught !== undefined && new RegExp(`\\b${caught}\\b`).test(text),
        });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return calls;
  });
}

/** `logger.warn`, and `logger[...]` of a level that is chosen there. */
function levelOf(callee: ts.Expression): string | undefined {
  if (!ts.isPropertyAccessExpression(callee) && !ts.isElementAccessExpression(callee)) return undefined;
  if (!/logger$/i.test(callee.expression.getText())) return undefined;
  if (ts.isElementAccessExpression(callee)) return 'warn';
  return ['error', 'warn', 'info'].find((level) => level === callee.name.text);
}

function fieldsOf(node: ts.Node): string[] {
  const own =
    (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) && ts.isIdentifier(node.name)
      ? [node.name.text]
      : [];
  const inner: string[] = [];
  ts.forEachChild(node, (child) => void inner.push(...fieldsOf(child)));
  return [...own, ...inner];
}

/** What the error is called that was caught around a node: by `catch`, or by a handler of a promise. */
function caughtAround(node: ts.Node): string | undefined {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isCatchClause(at)) return at.variableDeclaration?.name.getText();
    if (!ts.isArrowFunction(at)) continue;
    const [parameter] = at.parameters;
    if (parameter?.type?.kind === ts.SyntaxKind.UnknownKeyword && /error/i.test(parameter.name.getText()))
      return parameter.name.getText();
  }
  return undefined;
}
