/**
 * `npm run agreement:forms [-- PATTERN]`: every published network at full size in the forms that GPUs get, on the CPU: how far each is from the plain
 * form. Takes minutes, and a GB for the largest.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareForms } from '../support/forms/graph-forms.ts';

/** Of the goldens: nothing may move a result by more. */
const TOLERANCE = 2e-5;
const MANIFESTS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url));

const [pattern = ''] = process.argv.slice(2);
const names = readdirSync(MANIFESTS).map((file) => file.replace('.json', ''));
for (const name of names.filter((one) => new RegExp(pattern).test(one))) {
  const [result] = await compareForms([{ name, from: 'manifest' }]);
  if (!result) throw new Error(`${name} was not run`);
  const { loops, nodes, convolutions, channelsLast, differences } = result;
  const largest = Math.max(...Object.values(differences));
  if (!(largest < TOLERANCE)) process.exitCode = 1;
  console.log(
    `${name.padEnd(30)} ${loops} loops, ${nodes.join(' > ')} nodes; ${channelsLast} of ${convolutions} convolutions with channels last; off by ${largest.toExponential(1)}`,
  );
}
