import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REQUESTS = new URL('../../fixtures/clients/raw/', import.meta.url);

/** A request of test/fixtures/clients/raw with a picture in it, which asks for the connection to be closed. */
export function clientRequest(name: string, picture: Buffer): Buffer {
  const file = fileURLToPath(new URL(`${name}.http`, REQUESTS));
  const [head = '', body = ''] = readFileSync(file, 'latin1').split(/\r\n\r\n(.*)/s);
  const sent = body
    .replace('{{image}}', () => picture.toString('latin1'))
    .replace('{{base64}}', picture.toString('base64'));
  const text = `${head.replace('{{length}}', String(sent.length))}\r\nConnection: close\r\n\r\n${sent}`;
  return Buffer.from(text, 'latin1');
}
