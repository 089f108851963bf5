import { describe, expect, it } from '@jest/globals';
import { withoutPaths } from '../../../app/files/without-paths.ts';

describe('withoutPaths', () => {
  const folders = { modelsDir: '/srv/models', uploadFolder: '/srv/in', processedFolder: '/srv/models/out' };
  it.each([
    ['put it into /srv/models as a.pth', 'put it into MODELS_DIR as a.pth'],
    ["ENOENT, open '/srv/in/0-1'", "ENOENT, open 'UPLOAD_FOLDER/0-1'"],
    ['/srv/models/out/.state/a: full', 'PROCESSED_FOLDER/.state/a: full'],
    ['/srv/models/a.pth and /srv/models/b.pth', 'MODELS_DIR/a.pth and MODELS_DIR/b.pth'],
    ['https://example.org/srv/models/a.pth', 'https://example.org/srv/models/a.pth'],
    ['/srv/models-of-others/a.pth', '/srv/models-of-others/a.pth'],
    ['no path', 'no path'],
  ])('makes of %j %j', (text, expected) => {
    expect(withoutPaths(text, folders)).toBe(expected);
  });

  it('leaves a folder that is the root alone', () => {
    expect(withoutPaths('a / b', { ...folders, modelsDir: '/' })).toBe('a / b');
  });
});
