import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import type { PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { collectedBuffers } from '../../../app/http/collected-buffers.ts';
import { eventually } from '../../support/eventually.ts';

const PIECE = 65_536;

type GcEntry = PerformanceEntry & { readonly detail: { readonly flags?: number } };

describe('buffers that an answer leaves lying', () => {
  const app = express();
  app.use(collectedBuffers());
  app.get('/:pieces', ({ params: { pieces } }, response) => {
    const kept = Array.from({ length: Number(pieces) }, () => Buffer.alloc(PIECE, 1));
    response.json(kept.length);
  });
  const server = createServer(app);
  let asked = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as GcEntry[]) {
      const { flags = 0 } = detail;
      if ((flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) asked++;
    }
  });

  beforeEach(async () => {
    observer.observe({ entryTypes: ['gc'] });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => {
    observer.disconnect();
    server.close();
  });

  it('are collected once it is out, where they are worth it', async () => {
    const { port } = server.address() as AddressInfo;
    const ask = (pieces: number): Promise<Response> => fetch(`http://127.0.0.1:${port}/${pieces}`);
    await (await ask(1)).json();
    await sleep(100);
    expect(asked).toBe(0);
    // V8 may come first, where it has other reasons to look: then there was nothing to collect.
    const timesAsked = async (): Promise<number> => {
      await (await ask(200)).json();
      return asked;
    };
    expect(await eventually(timesAsked, (times) => times > 0)).toBeGreaterThan(0);
  });
});
