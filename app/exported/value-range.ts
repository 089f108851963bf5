import type { ModelNode, OnnxModel } from './onnx-model.ts';

/** What full brightness is called: 1, as nearly all networks have it, or 255. */
export type FullValue = 1 | 255;

/** Nodes that leave values as they are, or nearly so. */
const PASSING: ReadonlySet<string> = new Set([
  'Cast',
  'Transpose',
  'Identity',
  'Round',
  'Squeeze',
  'Unsqueeze',
  'Clip',
]);
/** Further from a model's ends it does not say how pixels are counted. */
const MAX_STEPS = 8;

/** Whether a model of floats counts pixels to 255: only where its first step divides by that. */
export function fullOfInput({ nodes, scalars }: OnnxModel, input: string): FullValue {
  let name = input;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const users = nodes.filter(({ inputs }) => inputs.includes(name));
    const [node] = users;
    const output = node?.outputs[0];
    if (node === undefined || users.length > 1 || output === undefined) return 1;
    if (!PASSING.has(node.op)) return dividesBy255(node, name, scalars) ? 255 : 1;
    name = output;
  }
  return 1;
}

/** The same of what comes out: where its last step multiplies by 255, or clips there. */
export function fullOfOutput({ nodes, scalars }: OnnxModel, output: string): FullValue {
  let name = output;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const node = nodes.find(({ outputs }) => outputs.includes(name));
    const [first, ...others] = node?.inputs ?? [];
    if (node === undefined || first === undefined) return 1;
    if (node.op === 'Clip' && others.some((one) => scalars.get(one) === 255)) return 255;
    if (!PASSING.has(node.op)) return multipliesBy255(node, scalars) ? 255 : 1;
    name = first;
  }
  return 1;
}

function dividesBy255({ op, inputs }: ModelNode, name: string, scalars: OnnxModel['scalars']): boolean {
  const number = scalars.get(inputs.find((one) => one !== name) ?? '');
  if (number === undefined || inputs[op === 'Div' ? 0 : inputs.indexOf(name)] !== name) return false;
  return (op === 'Div' && isNear(number, 255)) || (op === 'Mul' && isNear(1 / number, 255));
}

function multipliesBy255({ op, inputs }: ModelNode, scalars: OnnxModel['scalars']): boolean {
  const numbers = inputs.flatMap((one) => scalars.get(one) ?? []);
  if (op === 'Mul') return numbers.some((number) => isNear(number, 255));
  return op === 'Div' && isNear(1 / (scalars.get(inputs[1] ?? '') ?? 1), 255);
}

/** Halves round 1 / 255, and some divide by 256. */
function isNear(number: number, wanted: number): boolean {
  return Math.abs(number - wanted) <= 1.5;
}
