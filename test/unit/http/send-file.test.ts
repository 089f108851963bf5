import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Response } from 'express';
import { sendFile } from '../../../app/http/send-file.ts';
import { openFiles } from '../../support/servers/open-descriptors.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** More than the buffers of a connection hold. */
const BYTES = 12 * 2 ** 20 + 17;
const picture = randomBytes(BYTES);

let folder: TemporaryFolder;
let file: string;
let server: Server;
/** Of the answer that was asked for last. */
let sending: Promise<void>;

beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'picture');
  await writeFile(file, picture);
  server = createServer((_request, response) => {
    response.setHeader('Content-Length', BYTES);
    sending = open(file).then((opened) => sendFile(response as unknown as Response, opened));
    sending.catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

test('who reads slowly gets every byte as it is in the file, though all go through one buffer', async () => {
  const pieces: Buffer[] = [];
  for await (const piece of await asked()) {
    pieces.push(piece as Buffer);
    if (pieces.length % 16 === 0) await sleep(2);
  }
  expect(Buffer.concat(pieces).equals(picture)).toBe(true);
  await sending;
  expect(openFiles(process.pid)).not.toContain(file);
});

test('who goes away in the middle ends the sending, and the file is closed', async () => {
  const answer = await asked();
  await once(answer, 'readable');
  answer.destroy();
  await expect(sending).rejects.toThrow();
  expect(openFiles(process.pid)).not.toContain(file);
});

async function asked(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(get({ host: '127.0.0.1', port }), 'response')) as [IncomingMessage];
  return answer;
}
