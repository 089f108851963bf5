import type { PickleDict, PickleValue } from './pickle/pickle-values.ts';

/** A parameter of a network as a training program wrote it beside the weights. */
export type Setting = string | number | boolean | null;

/** What a file says of its network beside the weights, by the names of the constructor's parameters. */
export type Settings = ReadonlyMap<string, Setting>;

/** Dicts in which training programs keep how they made the network: traiNNer, Lightning, BasicSR and their like. */
const PLACES: ReadonlySet<string> = new Set(
  'metadata hyperparameters hyper_parameters config model_config network_g net_g opt args kwargs arch_args'.split(' '),
);
/** Among the settings of a training those of the network are one or two dicts down. */
const MAX_DEPTH = 3;
const MAX_SETTINGS = 1000;
/** A text beside the tensors of a `.safetensors`; longer ones are pictures and licences. */
const MAX_TEXT = 1 << 16;

/** The settings that stand beside the state dict in what `torch.save` was given. @param path the keys that led to the state dict */
export function settingsBeside(tree: PickleValue, path: readonly string[]): Settings {
  const found = new Map<string, Setting>();
  const values = [tree];
  for (const key of path) {
    const outer = values[0];
    values.unshift(outer instanceof Map ? (outer.get(key) ?? null) : null);
  }
  for (const value of values) if (value instanceof Map) collect(entriesIn(value), found, 0);
  return found;
}

/** The settings among the texts of a `.safetensors`: one by one, or a JSON object of them in one text. */
export function settingsInTexts(texts: ReadonlyMap<string, string>): Settings {
  const found = new Map<string, Setting>();
  for (const [name, text] of texts) {
    if (text.length > MAX_TEXT || found.size >= MAX_SETTINGS) continue;
    const value = text.trimStart().startsWith('{') ? parsed(text) : undefined;
    if (value === undefined) found.set(name, settingOf(text));
    else collect([[name, new Map(Object.entries(value)) as PickleDict]], found, 0);
  }
  return found;
}

/** Puts the settings of dicts that are known to hold such into `found`; what is nearer the weights is not replaced. */
function collect(
  entries: readonly (readonly [string, PickleDict])[],
  found: Map<string, Setting>,
  depth: number,
): void {
  for (const [, dict] of entries) {
    for (const [name, value] of dict) {
      if (found.size >= MAX_SETTINGS) return;
      if (typeof name === 'string' && !found.has(name) && isSetting(value)) found.set(name, value);
    }
    if (depth + 1 < MAX_DEPTH) collect(entriesIn(dict), found, depth + 1);
  }
}

function entriesIn(dict: PickleDict): [string, PickleDict][] {
  return [...dict].flatMap(([name, value]): [string, PickleDict][] => {
    if (typeof name !== 'string' || !PLACES.has(name)) return [];
    if (value instanceof Map) return [[name, value]];
    return isObject(value) ? [[name, new Map(Object.entries(value)) as PickleDict]] : [];
  });
}

/** An object out of JSON, which is no `PickleValue` yet. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isSetting(value: PickleValue): value is Setting {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A text that stands for a number or a truth is that. */
function settingOf(text: string): Setting {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (/^(none|null)$/i.test(text)) return null;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
