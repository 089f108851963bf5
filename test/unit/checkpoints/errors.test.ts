import { describe, expect, it } from '@jest/globals';
import { CheckpointError, quoted, shownFile, shownName } from '../../../app/checkpoints/errors.ts';
import { oneLine } from '../../../app/errors.ts';

describe('text from a file, in a message', () => {
  it('is cut and has nothing that a terminal would obey', () => {
    expect(quoted('\u001b[2Ja\nb\u009b')).toBe("'\\u001b[2Ja\\nb\\u{9b}'");
    expect(quoted('\u202egpj.exe')).toBe("'\\u{202e}gpj.exe'");
    expect(quoted('A'.repeat(1 << 20))).toBe(`'${'A'.repeat(80)}…'`);
  });

  it('keeps the plain names of tensors as they are and quotes all others', () => {
    expect(shownName('model.1.sub.0.RDB1.conv1.0.weight')).toBe('model.1.sub.0.RDB1.conv1.0.weight');
    expect(shownName('a b')).toBe("'a b'");
  });

  it('names a file without its folder', () => {
    expect(shownFile('/srv/models/x.pth')).toBe('x.pth');
    expect(shownFile('/srv/models/4x übung (1).pth')).toBe('4x übung (1).pth');
    expect(shownFile('/srv/models/a\nb.pth')).toBe("'a\\nb.pth'");
    const error = new CheckpointError('empty', 'the file is empty').inFile('/srv/models/x.pth');
    expect(error.message).toBe('x.pth: the file is empty');
  });

  it('makes one line of at most 400 characters of every message', () => {
    expect(oneLine('a\r\nb')).toBe('a\\u{d}\\u{a}b');
    expect(new CheckpointError('empty', '\u0007'.repeat(5000)).message).toHaveLength(400);
  });
});
