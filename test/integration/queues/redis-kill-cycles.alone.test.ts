import { describe, expect, it } from '@jest/globals';
import { redisKillCycles } from '../../support/servers/redis-kill-cycles.ts';
import { HAS_REDIS, RedisServer } from '../../support/servers/redis-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

(HAS_REDIS ? describe : describe.skip)('servers, workers and a Redis that are killed', () => {
  it('lose no accepted job, deliver none in part, and end each once', async () => {
    const [redis, folder] = [await RedisServer.start(), await temporaryFolder()];
    try {
      const report = await redisKillCycles({ redis, folder }, ['server', 'redis', 'workers'], 1);
      expect(report).toMatchObject({ broken: [], completed: report.accepted });
      expect(report.accepted).toBeGreaterThan(5);
    } finally {
      await redis.remove();
      await folder.remove();
    }
  }, 300_000);
});
