import type { Command, Option } from 'commander';

/** What may follow one command. */
interface CompletionPoint {
  /** Names of the commands that lead here, as typed; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly help: string }[];
  readonly options: readonly CompletionOption[];
  /** Whether files may follow. */
  readonly hasArguments: boolean;
  readonly choices: readonly string[];
}

interface CompletionOption {
  readonly flags: readonly string[];
  readonly takesValue: boolean;
  /** The values there are; none are known where it is a number, a text or a file. */
  readonly choices: readonly string[];
  readonly help: string;
}

/** Shells that have a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A shell that has a script. */
export type Shell = (typeof SHELLS)[number];

/** The script by which a shell completes commands, flags and their values, of all commands that `program` has. */
export function completionScript(program: Command, shell: Shell): string {
  const points = pointsOf(program, '');
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program.name(), points);
}

function pointsOf(command: Command, path: string): readonly CompletionPoint[] {
  const help = command.createHelp();
  const children = command.commands.map((child) => ({ name: child.name(), help: firstWords(child.description()) }));
  const point = {
    path,
    commands: children,
    options: help.visibleOptions(command).map(completionOption),
    hasArguments: command.registeredArguments.some(({ argChoices }) => argChoices === undefined),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  const below = command.commands.flatMap((child) => pointsOf(child, `${path} ${child.name()}`.trim()));
  return [point, ...below];
}

function completionOption({
  short,
  long,
  flags,
  argChoices,
  required,
  optional,
  description,
}: Option): CompletionOption {
  return {
    flags: [long, short].filter((flag) => flag !== undefined),
    takesValue: required || optional,
    choices: argChoices ?? listedIn(flags),
    help: firstWords(description),
  };
}

/** The values of a flag that names them itself, as `--format <auto|png>`; those of `<pixels|auto>` are not all words. */
function listedIn(flags: string): readonly string[] {
  const listed = /<([a-z0-9]+(?:\|[a-z0-9]+)+)>/.exec(flags)?.[1]?.split('|') ?? [];
  return listed.filter((word) => !['pixels', 'type', 'file', 'name'].includes(word));
}

function firstWords(text: string): string {
  const [first = ''] = text.split(/[:;(]/);
  return first.replaceAll(/['"`\\$[\]]/g, '').trim();
}

/** The command that the words before the cursor lead to, in the words of bash and zsh. */
function pathFinder(points: readonly CompletionPoint[], words: string): string {
  const paths = points.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `  local at='' word
  for word in ${words}; do
    case "\${at:+$at }$word" in
      ${paths.join('|')}) at="\${at:+$at }$word" ;;
    esac
  done`;
}

function bashScript(name: string, points: readonly CompletionPoint[]): string {
  const cases = points.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags, choices }) => {
        const pattern = flags.map((flag) => `'${path}:${flag}'`).join('|');
        const action = choices.length === 0 ? 'files=1; found=' : `found='${choices.join(' ')}'`;
        return `    ${pattern}) ${action} ;;`;
      }),
  );
  return `# bash completion of ${name}; in ~/.bashrc: source <(${name} completion bash)
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" found files=0
${pathFinder(points, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  COMPREPLY=()
  case "$at:$before" in
${cases.join('\n')}
    *)
      case "$at" in
${points.map((point) => `        '${point.path}') ${wordsOf(point)} ;;`).join('\n')}
      esac
      ;;
  esac
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  if ((files)); then
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
  return 0
}
complete -F _${name} ${name}
`;
}

function wordsOf({ commands, options, hasArguments, choices }: CompletionPoint): string {
  const words = [...commands.map((command) => command.name), ...choices, ...options.flatMap(({ flags }) => flags)];
  return `found='${words.join(' ')}'${hasArguments ? '; files=1' : ''}`;
}

/** Each word with the first words of its help. */
function zshScript(name: string, points: readonly CompletionPoint[]): string {
  const values = points.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flags, choices }) => {
        const pattern = flags.map((flag) => `'${path}:${flag}'`).join('|');
        return `    ${pattern}) ${choices.length === 0 ? '_files' : `compadd -- ${choices.join(' ')}`}; return ;;`;
      }),
  );
  const words = points.map((point) => {
    const { path, commands, options, hasArguments, choices } = point;
    const described = [
      ...commands.map((command) => [command.name, command.help] as const),
      ...choices.map((choice) => [choice, ''] as const),
      ...options.flatMap(({ flags, help }) => flags.map((flag) => [flag, help] as const)),
    ].map(([word, help]) => `'${word}${help === '' ? '' : `:${help}`}'`);
    return `    '${path}') found=(${described.join(' ')}); files=${hasArguments ? 1 : 0} ;;`;
  });
  return `#compdef ${name}
# zsh completion of ${name}; in ~/.zshrc, after compinit: source <(${name} completion zsh)
_${name}() {
  local -a found
  local files=0
${pathFinder(points, '"${(@)words[2,CURRENT-1]}"')}
  case "$at:$words[CURRENT-1]" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  _describe '${name}' found
  ((files)) && _files
}
compdef _${name} ${name}
`;
}

function fishScript(name: string, points: readonly CompletionPoint[]): string {
  const lines = points.flatMap((point) => fishLines(name, point));
  return `# fish completion of ${name}: ${name} completion fish > ~/.config/fish/completions/${name}.fish
function __${name}_at
    set -l path
    for word in (commandline -opc)[2..-1]
        switch (string join ' ' $path $word)
            case ${points
              .filter(({ path }) => path !== '')
              .map(({ path }) => `'${path}'`)
              .join(' ')}
                set -a path $word
        end
    end
    test (string join ' ' $path) = "$argv[1]"
end
${lines.join('\n')}
`;
}

function fishLines(
  name: string,
  { path, commands, options, hasArguments, choices }: CompletionPoint,
): readonly string[] {
  const start = `complete -c ${name} -n "__${name}_at '${path}'"`;
  return [
    ...(hasArguments ? [] : [`${start} -f`]),
    ...commands.map((command) => `${start} -a ${command.name} -d '${command.help}'`),
    ...(choices.length === 0 ? [] : [`${start} -a '${choices.join(' ')}'`]),
    ...options.map(({ flags, takesValue, choices: values, help }) => {
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const value = !takesValue ? '' : values.length === 0 ? ' -r -F' : ` -x -a '${values.join(' ')}'`;
      return `${start} ${names.join(' ')}${value} -d '${help}'`;
    }),
  ];
}
