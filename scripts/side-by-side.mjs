// node scripts/side-by-side.mjs SCRIPT...: runs scripts of package.json, as many at once as there are cores. What each of them
// says comes in one piece when it is done; all are run to their end, and one that fails makes the whole fail.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';

const waiting = process.argv.slice(2);
const failed = [];

/** Everything that a script says, in the order in which it says it, and whether it was content. */
function run(script) {
  const said = [];
  const child = spawn('npm', ['run', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ said: Buffer.concat(said), isContent: code === 0 }));
  });
}

async function runInTurn() {
  for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
    const start = performance.now();
    const { said, isContent } = await run(script);
    process.stdout.write(said);
    console.log(
      `${script}: ${isContent ? 'fine' : 'FAILED'} after ${((performance.now() - start) / 1000).toFixed(0)} s`,
    );
    if (!isContent) failed.push(script);
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, runInTurn));
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
