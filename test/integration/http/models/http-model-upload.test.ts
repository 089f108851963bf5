import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { writeCheckpoint } from '../../../support/checkpoints/checkpoint-writer.ts';
import { buildManifestTensors, readManifest } from '../../../support/checkpoints/hashed-weights.ts';
import type { HttpService } from '../../../support/servers/http-service.ts';
import { echo, openHttpService } from '../../../support/servers/http-service.ts';

describe('models that are sent', () => {
  let folder: TemporaryFolder;
  let service: HttpService;
  let checkpoint: Buffer;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const file = join(folder.path, 'made');
    const tensors = buildManifestTensors(readManifest('compact_x4_super_ultra'));
    writeCheckpoint(file, tensors, { format: 'pth-zip', root: 'params' });
    checkpoint = await readFile(file);
    service = await openHttpService(echo, { allowModelUpload: true, modelsDir: join(folder.path, 'models') });
  });

  afterAll(async () => {
    await service.close();
    await folder.remove();
  });

  const send = async (name: string, bytes = checkpoint, to = service) => {
    const response = await request(to.url).post('/models').attach('file', bytes, name);
    return { status: response.status, body: response.body as unknown };
  };
  const inFolder = () => readdir(join(folder.path, 'models'));

  it('are looked at, kept under their names, and listed as what they are', async () => {
    const { status, body } = await send('4x-Ultra (mine).pth');
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({
        name: '4x-Ultra (mine)',
        kind: 'user',
        installed: true,
        architecture: 'Compact',
        scale: 4,
      }),
    ]);
    expect(await inFolder()).toEqual(['4x-Ultra (mine).pth']);
    expect((await readFile(join(folder.path, 'models', '4x-Ultra (mine).pth'))).equals(checkpoint)).toBe(true);
    const list = (await request(service.url).get('/models')).body as { takes_models: boolean; models: unknown[] };
    expect(list.takes_models).toBe(true);
    expect(list.models).toContainEqual(body);
  });

  it('may be what the catalogue would fetch, by the name of its file or of another format of it', async () => {
    const { status, body } = await send('4xPurePhoto-span.ckpt');
    const told = {
      name: '4xPurePhoto-span',
      installed: true,
      verified: false,
      architecture: 'Compact',
      asked_by_name: true,
    };
    expect([status, body]).toEqual([201, expect.objectContaining(told)]);
    expect((await send('4xPurePhoto-span.pth')).status).toBe(409);
  });

  it('are no programs', async () => {
    const { status, body } = await send('4x.onnx');
    expect([status, body]).toEqual([400, expect.objectContaining({ code: 'ERR_MODEL_REFUSED' })]);
    expect((body as { detail: string }).detail).toMatch(/an ONNX file is a program/);
  });

  it('replace nothing, and take the name of no official model', async () => {
    await writeFile(join(folder.path, 'models', 'there.safetensors'), 'as it was');
    for (const name of [
      'there.safetensors',
      'There.pth',
      'RealESRGAN_x4plus.pth',
      'gfpgan-1.4.pth',
      'compact-x2.pth',
    ]) {
      const { status, body } = await send(name);
      expect([name, status, body]).toEqual([name, 409, expect.objectContaining({ code: 'ERR_MODEL_EXISTS' })]);
    }
    expect(await readFile(join(folder.path, 'models', 'there.safetensors'), 'utf8')).toBe('as it was');
  });

  it('are refused in words, and leave nothing, where they are no network or their names are not safe', async () => {
    const before = await inFolder();
    const page = await send('page.pth', Buffer.from('<html>not found</html>'));
    expect([page.status, page.body]).toEqual([400, expect.objectContaining({ code: 'ERR_MODEL_REFUSED' })]);
    expect((page.body as { detail: string }).detail).toMatch(/^'page\.pth' is not taken: .*page\.pth/);
    for (const name of [
      '.hidden.pth',
      'a..pth',
      '-rf.pth',
      'con.pth',
      'a;b.pth',
      'model.exe',
      `${'a'.repeat(130)}.pth`,
    ]) {
      const { status, body } = await send(name);
      expect([name, status, body]).toEqual([name, 400, expect.objectContaining({ code: 'ERR_MODEL_REFUSED' })]);
    }
    const outside = await send('../../outside.pth');
    expect(outside.status).toBe(201); // a path is a name after its last slash
    expect(await inFolder()).toEqual([...before, 'outside.pth'].sort());
    expect((await readdir(folder.path)).sort()).toEqual(['made', 'models']);
  });

  it('are not taken where nobody has allowed it', async () => {
    const other = await openHttpService(echo, { modelsDir: join(folder.path, 'others') });
    const { status, body } = await send('mine.pth', checkpoint, other);
    expect([status, body]).toEqual([403, expect.objectContaining({ code: 'ERR_MODEL_UPLOAD_OFF' })]);
    expect(((await request(other.url).get('/models')).body as { takes_models: boolean }).takes_models).toBe(false);
    await other.close();
    expect(await readdir(folder.path)).not.toContain('others');
  });
});
