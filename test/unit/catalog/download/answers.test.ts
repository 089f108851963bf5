import { describe, expect, it } from '@jest/globals';
import {
  contentLength,
  isOtherVersion,
  isPage,
  parseContentRange,
  strongValidator,
} from '../../../../app/catalog/download/answers.ts';

describe('parseContentRange', () => {
  it('reads a range and the size of the whole', () => {
    expect(parseContentRange('bytes 0-15/1000')).toEqual({ range: [0, 16], total: 1000 });
    expect(parseContentRange(' bytes 999-999/1000 ')).toEqual({ range: [999, 1000], total: 1000 });
  });

  it.each([
    '',
    'bytes */1000',
    'bytes 0-15/*',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'bytes=0-15/1000',
    'bytes -1-5/10',
    'items 0-1/2',
    'bytes 0-15/1e3',
  ])('does not guess at %j', (header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });
});

describe('contentLength', () => {
  it('is the announced size, where there is one', () => {
    expect(contentLength({ 'content-length': '12' })).toBe(12);
    expect(contentLength({})).toBeUndefined();
    expect(contentLength({ 'content-length': '12, 12' })).toBeUndefined();
  });
});

describe('strongValidator', () => {
  const date = 'Mon, 01 Jan 2024 00:00:10 GMT';
  it('is a strong ETag, or a date that cannot hide a second change', () => {
    expect(strongValidator({ etag: '"a"', 'last-modified': date })).toBe('"a"');
    expect(strongValidator({ etag: 'W/"a"' })).toBeNull();
    expect(strongValidator({ 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', date })).toBe(
      'Mon, 01 Jan 2024 00:00:00 GMT',
    );
    expect(strongValidator({ 'last-modified': date, date })).toBeNull();
    expect(strongValidator({ 'last-modified': date })).toBeNull();
    expect(strongValidator({})).toBeNull();
  });
});

describe('isOtherVersion', () => {
  it('compares like with like, and does not accuse an answer that says nothing', () => {
    expect(isOtherVersion({ etag: '"b"' }, '"a"')).toBe(true);
    expect(isOtherVersion({ etag: '"a"' }, '"a"')).toBe(false);
    expect(isOtherVersion({}, '"a"')).toBe(false);
    expect(isOtherVersion({ 'last-modified': 'Tue' }, 'Mon')).toBe(true);
    expect(isOtherVersion({ etag: '"b"' }, null)).toBe(false);
  });
});

describe('isPage', () => {
  it.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'application/json',
    'application/problem+json',
    'application/xhtml+xml',
    'text/xml',
  ])('knows %s', (type) => {
    expect(isPage({ 'content-type': type })).toBe(true);
  });

  it.each(['application/octet-stream', 'application/zip', 'text/plain', 'binary/octet-stream'])(
    'takes %s for a file',
    (type) => {
      expect(isPage({ 'content-type': type })).toBe(false);
    },
  );

  it('takes an answer without a type for a file', () => {
    expect(isPage({})).toBe(false);
  });
});
