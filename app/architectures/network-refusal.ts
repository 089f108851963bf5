import { shownFile, shownName } from '../checkpoints/errors.ts';
import type { StateDict } from '../checkpoints/state-dict.ts';
import type { Weights } from '../onnx/weights.ts';
import { UnknownNetworkError } from './errors.ts';
import { foreignThingIn } from './foreign-things.ts';
import { familyOf } from './known-families.ts';

/**
 * The error for a file whose tensors are known to be something that is not run: a network of another family, or no network for
 * pictures at all. Undefined where nothing tells so.
 * @param running the names of the families that are run; none of them is foreign
 */
export function refusalOfForeign(
  dict: StateDict,
  weights: Weights,
  running: readonly string[],
): UnknownNetworkError | undefined {
  const runs = new Set(running.map(plain));
  const family = familyOf(weights, ({ name }) => !runs.has(plain(name)));
  if (family !== undefined) {
    const { name, does, instead } = family;
    const advice = typeof instead === 'string' ? instead : nearest(instead, runs);
    return refusal(dict, `this is a network of the family ${name} (it ${does}), which is not run here; ${advice}`);
  }
  const thing = foreignThingIn(weights);
  return thing && refusal(dict, `this is ${thing.is}; ${thing.instead}`);
}

/** Of the kinds that run, for whoever has none of them. */
const MAX_SHOWN = 12;

/** The error for a file that nothing is known of: names what it has, and what is run. */
export function refusalOfUnknown(dict: StateDict, running: readonly string[]): UnknownNetworkError {
  const names = [...dict.tensors.keys()];
  const shown = names.slice(0, 3).map(shownName).join(', ');
  const count = names.length === 1 ? '1 tensor' : `${names.length} tensors`;
  const more = names.length > 3 ? ', …' : '';
  return refusal(
    dict,
    `no network that is known here (it has ${count}: ${shown}${more}). Take a model of a kind that runs: ${listed(usualFirst(running))}`,
  );
}

/** What most files are of comes first: a line may be too short for all. */
function usualFirst(names: readonly string[]): readonly string[] {
  const usual = ['ESRGAN', 'Compact', 'SPAN', 'DAT', 'SwinIR', 'PLKSR'].filter((name) => names.includes(name));
  return [...usual, ...names.filter((name) => !usual.includes(name))];
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_SHOWN;
  return more > 0 ? `${names.slice(0, MAX_SHOWN).join(', ')} and ${more} more` : names.join(', ');
}

function refusal({ file }: StateDict, text: string): UnknownNetworkError {
  return new UnknownNetworkError(`${shownFile(file)}: ${text}`);
}

/** The first two of `names` that are run. */
function nearest(names: readonly string[], runs: ReadonlySet<string>): string {
  const [first = 'ESRGAN', second] = names.filter((name) => runs.has(plain(name)));
  return second === undefined
    ? `the nearest that is: ${first}. Take a model of that kind`
    : `the nearest that are: ${first} and ${second}. Take a model of those kinds`;
}

/** `MM-RealSR` and `MMRealSR` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
