import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { BullJobQueue } from '../../app/jobs/redis/bull-job-queue.ts';
import { createLogger } from '../../app/logger.ts';
import { HAS_REDIS, RedisServer } from '../support/servers/redis-server.ts';
import { jobQueueContract } from './job-queue.contract.ts';

const logger = createLogger({ logLevel: 'error' });
logger.silent = true;

if (HAS_REDIS) {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.remove());

  jobQueueContract('BullJobQueue', {
    // A folder is a test's own, and so is what Redis knows of it.
    create: (files, options) =>
      new BullJobQueue({ ...options, files, logger, redisUrl: redis.url, prefix: `{${files.stateFolder}}:` }),
  });
} else {
  describe('BullJobQueue, as a job queue', () => {
    it.skip('is not looked at: there is no redis-server here', () => undefined);
  });
}
