import { describe, expect, it } from '@jest/globals';
import { HEAD_BYTES, looksLikeCheckpoint } from '../../../app/catalog/checkpoint-head.ts';

function safetensors(headerLength: bigint): Buffer {
  const head = Buffer.alloc(HEAD_BYTES, '{"a":{}}');
  head.writeBigUInt64LE(headerLength);
  head.write('{"a":{}}', 8);
  return head;
}

describe('looksLikeCheckpoint', () => {
  it.each([
    [
      'a zip, as torch writes it now',
      Buffer.from('PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00', 'latin1'),
    ],
    ['a pickle, as torch wrote it before', Buffer.from('800 28a0a6cfc9c46f9206aa85019802e'.replace(' ', ''), 'hex')],
    ['safetensors', safetensors(1234n)],
  ])('says yes to %s', (_name, head) => {
    expect(looksLikeCheckpoint(head)).toBe(true);
  });

  it.each([
    ['a web page', Buffer.from('<!doctype html><html>')],
    ['an error message', Buffer.from('{"error":"not found"}')],
    ['a git LFS pointer', Buffer.from('version https://git-lfs')],
    ['gzip', Buffer.from('1f8b0800000000000003ed5d', 'hex')],
    ['an empty zip', Buffer.from('PK\x05\x06', 'latin1')],
    ['nothing', Buffer.alloc(0)],
    ['a header of a length that no file has', safetensors(2n ** 60n)],
  ])('says no to %s', (_name, head) => {
    expect(looksLikeCheckpoint(head)).toBe(false);
  });
});
