/**
 * Two servers that only accept and two that work, on one Redis and one S3 store, for 60 s of submits while they and their workers are
 * killed (`npm run soak:cluster -- SECONDS SEED` for others). What is printed says what was lost, done twice, or let past a limit:
 * nothing.
 */
import { clusterKills } from '../support/servers/cluster-kills.ts';
import { RedisServer } from '../support/servers/redis-server.ts';
import { S3Server } from '../support/servers/s3-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const [length = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const [redis, folder] = [await RedisServer.start(), await temporaryFolder()];
const storage = await S3Server.start(folder.path);
const started = performance.now();
const report = await clusterKills({ redis, storage, folder }, { ms: Number(length) * 1000, seed: Number(seed) });
await storage.kill();
await redis.remove();
await folder.remove();
const seconds = Math.round((performance.now() - started) / 1000);
process.stdout.write(
  `${JSON.stringify({ submitsSeconds: Number(length), seed: Number(seed), seconds, ...report }, null, 2)}\n`,
);
process.exitCode = report.broken.length > 0 ? 1 : 0;
