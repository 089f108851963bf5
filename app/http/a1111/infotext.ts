/** `Steps: 20`, `Size: 512x768`, `Hashes: "..."`: a name, and a value that a comma ends unless it is quoted. */
const PAIR = /(\w[\w \-/]{1,64}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
/** Fewer pairs than this in the last line, and it belongs to the prompt. */
const LEAST_PAIRS = 3;
const NEGATIVE = 'Negative prompt:';
const MAX_LENGTH = 100_000;

/**
 * Takes apart the text in which the WebUI keeps how an image was made: the prompt, from a line with `Negative prompt:` on what is
 * not wanted, and in the last line names and values. A value `AxB` comes as `{name}-1` and `{name}-2`.
 */
export function parametersOf(text: string): Readonly<Record<string, string>> {
  if (text.trim() === '') return {};
  const lines = text
    .slice(0, MAX_LENGTH)
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const pairs = [...(lines.at(-1) ?? '').matchAll(PAIR)];
  if (pairs.length >= LEAST_PAIRS) lines.pop();
  const from = lines.findIndex((line) => line.startsWith(NEGATIVE));
  const [wanted, unwanted] = from === -1 ? [lines, []] : [lines.slice(0, from), lines.slice(from)];
  return {
    Prompt: wanted.join('\n'),
    'Negative prompt': unwanted.join('\n').slice(NEGATIVE.length).trim(),
    ...(pairs.length >= LEAST_PAIRS &&
      Object.fromEntries(pairs.flatMap(([, name = '', value = '']) => entriesOf(name, value)))),
  };
}

function entriesOf(name: string, value: string): [string, string][] {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(value) ?? [];
  if (width !== undefined && height !== undefined)
    return [
      [`${name}-1`, width],
      [`${name}-2`, height],
    ];
  return [[name, unquoted(value)]];
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
