import type { HostileFile } from './hostile-file.ts';
import { bytes, legacyOf, pthOf, uint32, uint64 } from './hostile-file.ts';

/** What a pickle may name so that loading it runs something; each with an argument that leaves a trace. */
const CALLS: readonly (readonly [module: string, name: string])[] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['nt', 'system'],
  ['subprocess', 'Popen'],
  ['subprocess', 'check_output'],
  ['builtins', 'eval'],
  ['builtins', 'exec'],
  ['builtins', 'open'],
  ['builtins', 'getattr'],
  ['builtins', '__import__'],
  ['__builtin__', 'eval'],
  ['runpy', '_run_code'],
  ['importlib', 'import_module'],
  ['functools', 'partial'],
  ['operator', 'attrgetter'],
  ['shutil', 'rmtree'],
  ['pickle', 'loads'],
  ['torch', 'load'],
  ['torch.hub', 'load'],
  ['torch.serialization', 'load'],
  ['torch._utils', '_rebuild_sparse_tensor'],
  ['torch.nn.modules.conv', 'Conv2d'],
  ['basicsr.archs.rrdbnet_arch', 'RRDBNet'],
  ['collections', 'OrderedDict.__init__.__globals__'],
  ['torch', 'Size.__class__'],
  ['webbrowser', 'open'],
  ['ctypes', 'CDLL'],
  ['socket', 'create_connection'],
  ['asyncio.unix_events', '_UnixSubprocessTransport._start'],
  ['pathlib', 'PosixPath'],
  ['a\u001b[2Jb', 'c'],
];

const called = ([module, name]: readonly [string, string]) =>
  bytes(`c${module}\n${name}\nX`, uint32(12), 'touch canary', '\u0085R');
const stackGlobal = ([module, name]: readonly [string, string]) =>
  bytes('X', uint32(module.length), module, 'X', uint32(name.length), name, '\u0093)R');

const CALLING: readonly HostileFile[] = CALLS.flatMap((call) => [
  { name: `calls-${call.join('-').replaceAll(/[^\w-]/g, '_')}.pth`, bytes: pthOf(called(call)) },
  { name: `calls-late-${call.join('-').replaceAll(/[^\w-]/g, '_')}.pth`, bytes: legacyOf(stackGlobal(call)) },
]);

const integers = (count: number, between: string) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => bytes('J', uint32(i), between)));
const dict = bytes('}(', integers(100_000, 'N'), 'u');
const pairs = bytes('](', integers(100_000, 'N\u0086'), 'e');
const copies = (what: Uint8Array, path: string) =>
  bytes(what, `q\u0000c${path.replace('.', '\n')}\nq\u0001${'h\u0001h\u0000\u0085R'.repeat(2000)}`);
const dicts = bytes(`](${'}'.repeat(499_000)}e`);

/** Pickles that would take all memory or never end, and those that are no pickles. */
const BODIES: Readonly<Record<string, Uint8Array>> = {
  'copies-odict-of-dict': copies(dict, 'collections.OrderedDict'),
  'copies-counter': copies(dict, 'collections.Counter'),
  'copies-odict-of-pairs': copies(pairs, 'collections.OrderedDict'),
  'copies-default-dict': copies(dict, 'collections.defaultdict'),
  'objects-dicts': bytes(`](${'}'.repeat(1_500_000)}e`),
  'objects-tuples': bytes(')'.repeat(1_500_000)),
  'objects-globals': bytes('ctorch\nSize\n'.repeat(600_000)),
  'operations-none': bytes('N'.repeat(3_000_000)),
  'memo-grows': bytes('N', '\u0094'.repeat(1_500_000)),
  'marks-nested': bytes('('.repeat(500_000)),
  'tuples-nested': bytes('N', '\u0085'.repeat(480_000)),
  'lists-nested': bytes(']'.repeat(90_000), 'a'.repeat(89_999)),
  'string-of-4-gb': bytes('X', uint32(0xffffffff), 'a'),
  'bytes-of-2-gb': bytes('B', uint32(0x7fffffff), 'a'),
  'long-of-255-bytes': bytes('\u008a\u00ff', Buffer.alloc(255, 255)),
  'frame-lies': bytes('\u0095', uint64(2n ** 62n), 'N'),
  'protocol-255': bytes('\u0080\u00ff', 'N'),
  'global-without-end': bytes(`c${'a'.repeat(100_000)}`),
  'stack-empty': bytes('0'),
  'reduce-of-nothing': bytes('R'),
  'reduce-of-string': bytes('X', uint32(1), 'a', ')R'),
  'build-on-nothing': bytes('N}b'),
  'memo-of-nothing': bytes('h\u0009'),
  'persid-text': bytes('Pfile:///etc/passwd\n'),
  'inst-os-system': bytes("(S'touch canary'\nios\nsystem\n"),
  'obj-os-system': bytes('(cos\nsystem\nX', uint32(12), 'touch canary', 'o'),
  'ext-code': bytes('\u0082\u0001'),
  'next-buffer': bytes('\u0097'),
  'key-is-a-list': bytes('}(]Nu'),
  'key-without-value': bytes('}(Nu'),
  'cycle-list': bytes(']q\u0000h\u0000a'),
  'cycle-dict': bytes('}q\u0000X', uint32(1), 'ah\u0000s'),
  'no-stop': bytes('}', 'N0'.repeat(10)),
  'string-not-utf8': bytes('X', uint32(2), '\u00ff\u00fe'),
  'state-of-optimizer': bytes('}X', uint32(9), 'optimizer', '}s'),
  'list-of-numbers': bytes('](', integers(1000, ''), 'e'),
  number: bytes('K\u0001'),
  none: bytes('N'),
};

const BROKEN: readonly HostileFile[] = Object.entries(BODIES).flatMap(([name, body]) => [
  { name: `pickle-${name}.pth`, bytes: pthOf(body) },
  ...(body.length < 1 << 20 ? [{ name: `legacy-${name}.pth`, bytes: legacyOf(body) }] : []),
]);

export const HOSTILE_PICKLES: readonly HostileFile[] = [
  ...CALLING,
  ...BROKEN,
  { name: 'legacy-five-bombs.pth', bytes: legacyOf(dicts, dicts, dicts) },
  { name: 'legacy-bomb-in-machine.pth', bytes: legacyOf(bytes('}'), bytes(']'), copies(dict, 'collections.Counter')) },
  { name: 'legacy-copies.pth', bytes: legacyOf(copies(dict, 'collections.OrderedDict')) },
];
