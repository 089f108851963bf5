import { describe, expect, it } from '@jest/globals';
import type { ServerSentEvent } from '../../../app/client/server-sent-events.ts';
import { serverSentEvents } from '../../../app/client/server-sent-events.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(text: string, size = text.length * 4): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(inPieces(text, size))) events.push(event);
  return events;
}

describe('an event stream', () => {
  const STREAM =
    ': ping\r\n\r\nid: 1\r\nevent: progress\r\ndata: {"name":"Ü"}\r\n\r\nevent:completed\ndata:a\ndata: b\n\n';

  it.each([1, 2, 3, 7, 1000])('is the same in pieces of %i bytes', async (size) => {
    expect(await read(STREAM, size)).toEqual([
      { event: 'progress', data: '{"name":"Ü"}' },
      { event: 'completed', data: 'a\nb' },
    ]);
  });

  it('has lines that end with CR alone, too', async () => {
    expect(await read('data: a\r\rdata: b\r\r\n', 1)).toEqual([
      { event: 'message', data: 'a' },
      { event: 'message', data: 'b' },
    ]);
  });

  it('forgets the name of an event that has no data, and data that is cut off', async () => {
    expect(await read('event: progress\n\ndata\n\ndata: cut')).toEqual([{ event: 'message', data: '' }]);
  });
});
