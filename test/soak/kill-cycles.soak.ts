/** 200 servers killed one after another (`npm run soak -- CYCLES SEED` for others); what is printed says what was lost: nothing. */
import { killCycles } from '../support/servers/kill-cycles.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SAID_EVERY = 10;

const [cycles = '200', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const folder = await temporaryFolder();
const report = await killCycles(folder, Number(cycles), Number(seed), (progress) => {
  if (progress.cycle % SAID_EVERY === 0) process.stdout.write(`${JSON.stringify(progress)}\n`);
});
await folder.remove();
process.stdout.write(`${JSON.stringify({ cycles: Number(cycles), seed: Number(seed), ...report }, null, 2)}\n`);
process.exitCode = report.broken.length > 0 ? 1 : 0;
