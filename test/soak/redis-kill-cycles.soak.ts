/**
 * Three servers on one Redis, and 60 faults (`npm run soak:redis -- FAULTS SEED` for others): servers and workers killed, servers
 * that stand still beyond their lease, Redis killed. What is printed says what was lost: nothing.
 */
import type { Fault } from '../support/servers/redis-kill-cycles.ts';
import { redisKillCycles } from '../support/servers/redis-kill-cycles.ts';
import { RedisServer } from '../support/servers/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const KINDS: readonly Fault[] = ['server', 'redis', 'workers', 'server', 'pause'];

const [count = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const faults = Array.from({ length: Number(count) }, (_, index) => KINDS[index % KINDS.length] ?? 'server');
const [redis, folder] = [await RedisServer.start(), await temporaryFolder()];
const started = performance.now();
const report = await redisKillCycles({ redis, folder }, faults, Number(seed));
await redis.remove();
await folder.remove();
const seconds = Math.round((performance.now() - started) / 1000);
process.stdout.write(`${JSON.stringify({ faults: faults.length, seed: Number(seed), seconds, ...report }, null, 2)}\n`);
process.exitCode = report.broken.length > 0 ? 1 : 0;
