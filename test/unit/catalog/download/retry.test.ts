import { describe, expect, it } from '@jest/globals';
import { backoffMs, parseRetryAfter, waitBeforeRetry } from '../../../../app/catalog/download/retry.ts';
import { TransferFault } from '../../../../app/catalog/download/transfer-fault.ts';

const POLICY = { attempts: 6, shortestMs: 500, longestMs: 30_000, longestRetryAfterMs: 120_000 };
const QUICK = { ...POLICY, shortestMs: 1, longestMs: 2 };

describe('backoffMs', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [60, 30_000],
  ])('after %d failures lies anywhere between half a second and %d ms', (failures, ceiling) => {
    const waits = Array.from({ length: 2_000 }, () => backoffMs(failures, POLICY));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(ceiling);
    const spread = ceiling - 500;
    expect(Math.min(...waits)).toBeLessThan(500 + spread * 0.1);
    expect(Math.max(...waits)).toBeGreaterThan(500 + spread * 0.9);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2024-01-01T00:00:00Z');
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Mon, 01 Jan 2024 00:01:00 GMT', 60_000],
    ['Sun, 31 Dec 2023 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads %j as %d ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

describe('waitBeforeRetry', () => {
  const { signal } = new AbortController();
  const fault = (options: ConstructorParameters<typeof TransferFault>[2]) =>
    new TransferFault('busy', 'answers 503', options);

  it('waits for a fault that may pass', async () => {
    await expect(waitBeforeRetry(fault({ isRetryable: true }), 1, QUICK, signal)).resolves.toBeUndefined();
  });

  it('throws one that will not pass as it is', async () => {
    const final = fault({});
    await expect(waitBeforeRetry(final, 1, QUICK, signal)).rejects.toBe(final);
  });

  it('throws when it has been tried often enough, as one not to be retried', async () => {
    const error: unknown = await waitBeforeRetry(fault({ isRetryable: true }), 6, QUICK, signal).catch(
      (one: unknown) => one,
    );
    expect(error).toMatchObject({ reason: 'busy', isRetryable: false, message: 'answers 503 (6 attempts)' });
  });

  it('throws when the server wants to be left alone for too long', async () => {
    const waiting = waitBeforeRetry(fault({ isRetryable: true, retryAfterMs: 121_000 }), 1, QUICK, signal);
    await expect(waiting).rejects.toThrow('answers 503 and asks to come back in 121 s');
  });
});
