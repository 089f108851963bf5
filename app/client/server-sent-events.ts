/** One message of an event stream. */
export interface ServerSentEvent {
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
}

/**
 * Reads a `text/event-stream` (HTML standard, "Server-sent events"). Comments, ids and retry times are skipped; so is a message
 * without data, and one that the stream's end cuts off.
 * @param chunks UTF-8, cut anywhere
 */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent, void> {
  let event = 'message';
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') };
      [event, data] = ['message', []];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
}

/** Lines end with CR LF, LF or CR. What follows the last end of a line is no line. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const isHalfEnd = rest.endsWith('\r'); // an LF may follow in the next chunk
    const lines = (isHalfEnd ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
    rest = `${lines.pop() ?? ''}${isHalfEnd ? '\r' : ''}`;
    yield* lines;
  }
}
