import { describe, expect, it } from '@jest/globals';
import {
  BadModelsLockError,
  DownloadError,
  ModelUnavailableError,
  UnknownModelError,
} from '../../../app/catalog/errors.ts';

describe('the errors of the catalogue', () => {
  it('name the file, its address and the folder to put it in', () => {
    const model = { name: 'codeformer', filename: 'codeformer.pth', url: 'https://example.org/c.pth' };
    const error = new ModelUnavailableError(model, { directory: '/srv/models', why: 'downloads are off' });
    expect(error).toMatchObject({
      code: 'ERR_MODEL_UNAVAILABLE',
      model: 'codeformer',
      url: model.url,
      directory: '/srv/models',
    });
    expect(error.message).toBe(
      'The model codeformer is not installed: downloads are off. Download https://example.org/c.pth and put it into /srv/models as codeformer.pth',
    );
  });

  it('say what failed and how much is missing', () => {
    const error = new DownloadError('codeformer', {
      reason: 'disk-full',
      detail: 'the disk is full',
      missingBytes: 12,
    });
    expect(error).toMatchObject({
      code: 'ERR_DOWNLOAD_FAILED',
      reason: 'disk-full',
      missingBytes: 12,
      name: 'DownloadError',
    });
    expect(error.message).toBe('Could not download codeformer: the disk is full');
  });

  it('list what is known', () => {
    const error = new UnknownModelError('x', ['a', 'b']);
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_MODEL', known: ['a', 'b'] });
    expect(error.message).toBe("There is no model 'x'. Known: a, b");
  });

  it('say what to do about a damaged models.lock.json', () => {
    expect(new BadModelsLockError('/m/models.lock.json').message).toMatch(/^\/m\/models\.lock\.json .* delete it/);
  });
});
