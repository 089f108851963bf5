import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { reachSources } from '../../../app/catalog/download/model-sources.ts';
import { checkDownloads } from '../../../app/doctor/check-downloads.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A mirror on this machine, and its address. */
async function mirror(answer: RequestListener): Promise<string> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/models`;
}

describe('checkDownloads', () => {
  it('asks nobody where downloads are off', async () => {
    const asked: string[] = [];
    const modelMirror = await mirror(({ url = '' }) => asked.push(url));
    const { found, problems } = await checkDownloads({ modelDownloads: false, modelMirror });
    expect([found, problems]).toEqual([{ is_enabled: false, is_reachable: null, host: null }, []]);
    expect(asked).toEqual([]);
  });

  it('asks a mirror of the user for the head of a model, and then nobody else', async () => {
    const asked: (string | undefined)[] = [];
    const modelMirror = await mirror(({ url, headers }, response) => {
      asked.push(url, headers.range);
      const head = Buffer.from('PK\x03\x04'.padEnd(16, '\0'), 'latin1');
      response.writeHead(206, { 'content-range': 'bytes 0-15/1000', 'content-length': 16 }).end(head);
    });
    const { found, problems } = await checkDownloads({ modelDownloads: true, modelMirror });
    expect(found).toEqual({ is_enabled: true, is_reachable: true, host: new URL(modelMirror).host });
    expect(problems).toEqual([]);
    expect(asked).toEqual([expect.stringMatching(/^\/models\/.+\.(pth|safetensors)$/), 'bytes=0-15']);
  });
});

describe('reachSources', () => {
  it('tells of each source why it would not do', async () => {
    const base = await mirror(({ url }, response) => {
      if (url === '/models/slow') return;
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html>no</html>');
    });
    const closed = new URL('http://127.0.0.1:9/closed.pth');
    const { isReachable, problems } = await reachSources(
      [new URL(`${base}/gone`), new URL(`${base}/slow`), closed],
      300,
    );
    expect(isReachable).toBe(false);
    expect(problems).toEqual([
      expect.stringContaining('404'),
      expect.stringMatching(/models\/slow: /),
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/closed\.pth: .*ECONNREFUSED/),
    ]);
  });
});
