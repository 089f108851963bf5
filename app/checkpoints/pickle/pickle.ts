import type { ByteCursor } from '../byte-cursor.ts';
import { CheckpointError } from '../errors.ts';
import { SAVE_AGAIN } from '../file-kind.ts';
import type { ResolveGlobal } from './pickle-machine.ts';
import { PickleBudget } from './pickle-budget.ts';
import { PickleMachine } from './pickle-machine.ts';
import type { PersistentReference, PickleValue } from './pickle-values.ts';
import { PickleTuple } from './pickle-values.ts';

interface Unpickled {
  readonly value: PickleValue;
  /** All references to storages, in the order in which they come. */
  readonly references: readonly PersistentReference[];
}

interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly run: (machine: PickleMachine) => void;
}

const op = (code: number, name: string, run: Opcode['run']): Opcode => ({ code, name, run });

/**
 * What `torch.save` writes with protocols 2 to 5 (Python's pickletools documents each), and nothing else: no INST, OBJ, EXT,
 * PERSID, no opcode of protocol 0.
 */
const OPCODES: readonly Opcode[] = [
  op(0x80, 'PROTO', (m) => checkProtocol(m.input.uint8())),
  op(0x95, 'FRAME', (m) => checkFrame(m.input.uint64(), m.input.remaining)),
  op(0x2e, 'STOP', (m) => m.stop()),
  op(0x28, 'MARK', (m) => m.mark()),

  op(0x4e, 'NONE', (m) => m.push(null)),
  op(0x88, 'NEWTRUE', (m) => m.push(true)),
  op(0x89, 'NEWFALSE', (m) => m.push(false)),
  op(0x4b, 'BININT1', (m) => m.push(m.input.uint8())),
  op(0x4d, 'BININT2', (m) => m.push(m.input.uint16())),
  op(0x4a, 'BININT', (m) => m.push(m.input.int32())),
  op(0x8a, 'LONG1', (m) => pushInteger(m, m.input.bytes(m.input.uint8()))),
  op(0x47, 'BINFLOAT', (m) => m.push(m.input.float64BigEndian())),
  op(0x58, 'BINUNICODE', (m) => m.pushString(m.input.uint32())),
  op(0x8c, 'SHORT_BINUNICODE', (m) => m.pushString(m.input.uint8())),
  // Only Python 2 wrote these: the names of its state dicts.
  op(0x55, 'SHORT_BINSTRING', (m) => m.pushString(m.input.uint8())),
  op(0x42, 'BINBYTES', (m) => m.push(m.stringBytes(m.input.uint32()))),
  op(0x43, 'SHORT_BINBYTES', (m) => m.push(m.stringBytes(m.input.uint8()))),
  op(0x8e, 'BINBYTES8', (m) => m.push(m.stringBytes(Number(m.input.uint64())))),
  op(0x96, 'BYTEARRAY8', (m) => m.push(m.stringBytes(Number(m.input.uint64())))),

  op(0x29, 'EMPTY_TUPLE', (m) => m.pushTuple(0)),
  op(0x85, 'TUPLE1', (m) => m.pushTuple(1)),
  op(0x86, 'TUPLE2', (m) => m.pushTuple(2)),
  op(0x87, 'TUPLE3', (m) => m.pushTuple(3)),
  op(0x74, 'TUPLE', (m) => m.pushObject(new PickleTuple(m.popToMark()))),
  op(0x5d, 'EMPTY_LIST', (m) => m.pushObject([])),
  op(0x61, 'APPEND', (m) => m.append([m.pop()])),
  op(0x65, 'APPENDS', (m) => m.append(m.popToMark())),
  op(0x7d, 'EMPTY_DICT', (m) => m.pushObject(new Map())),
  op(0x73, 'SETITEM', (m) => m.setItems([m.pop(), m.pop()].reverse())),
  op(0x75, 'SETITEMS', (m) => m.setItems(m.popToMark())),
  op(0x8f, 'EMPTY_SET', (m) => m.pushObject(new Set())),
  op(0x90, 'ADDITEMS', (m) => m.addToSet(m.popToMark())),
  op(0x91, 'FROZENSET', (m) => m.pushSet(m.popToMark())),

  op(0x71, 'BINPUT', (m) => m.memoize(m.input.uint8())),
  op(0x72, 'LONG_BINPUT', (m) => m.memoize(m.input.uint32())),
  op(0x94, 'MEMOIZE', (m) => m.memoize()),
  op(0x68, 'BINGET', (m) => m.recall(m.input.uint8())),
  op(0x6a, 'LONG_BINGET', (m) => m.recall(m.input.uint32())),

  op(0x63, 'GLOBAL', (m) => m.pushGlobal(m.readName(), m.readName())),
  op(0x93, 'STACK_GLOBAL', (m) => pushStackGlobal(m)),
  op(0x51, 'BINPERSID', (m) => m.pushReference()),
  op(0x52, 'REDUCE', (m) => m.reduce()),
  op(0x81, 'NEWOBJ', (m) => m.reduce()),
  op(0x62, 'BUILD', (m) => m.dropState()),
];

const OPCODE_BY_CODE: readonly (Opcode | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  OPCODES.find((opcode) => opcode.code === code),
);

/**
 * Reads one pickle from `input`, up to and including its STOP, as inert data: nothing is imported, constructed or called.
 * Nothing here or behind it recurses into the values, so that their depth does not matter.
 * @param budget what it may take; one for all pickles of a file
 * @throws CheckpointError for every opcode, name, length or nesting that an honest checkpoint does not have.
 */
export function unpickle(
  input: ByteCursor,
  resolveGlobal: ResolveGlobal,
  budget: PickleBudget = new PickleBudget(),
): Unpickled {
  const start = input.position;
  const machine = new PickleMachine(input, resolveGlobal, budget);
  while (!machine.isDone) {
    const at = input.position;
    budget.spendOperation();
    const code = input.uint8();
    const opcode = OPCODE_BY_CODE[code];
    if (opcode === undefined) throw unknownOpcode(code, at - start);
    run(opcode, machine, at - start);
    budget.spendBytes(input.position - at);
  }
  return { value: machine.result, references: machine.references };
}

function run(opcode: Opcode, machine: PickleMachine, at: number): void {
  try {
    opcode.run(machine);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.kind !== 'bad-pickle') throw error;
    throw new CheckpointError('bad-pickle', `broken pickle (${opcode.name} at byte ${at}): ${error.message}`, {
      cause: error.cause,
    });
  }
}

/** Of protocols 0 and 1: INT, LONG, FLOAT, STRING, UNICODE, PUT, GET, DICT, LIST; torch.save writes them when it is told to. */
const OLD_OPCODES = new Set(Buffer.from('ILFSVpgdl', 'latin1'));

function unknownOpcode(code: number, at: number): CheckpointError {
  if (OLD_OPCODES.has(code)) {
    return new CheckpointError(
      'bad-pickle',
      `its pickle is of protocol 0 or 1, or damaged (byte ${at}); ${SAVE_AGAIN}`,
    );
  }
  const hex = code.toString(16).padStart(2, '0');
  return new CheckpointError(
    'bad-pickle',
    `the pickle has opcode 0x${hex} at byte ${at}, which torch.save never writes: the file is damaged or hostile`,
  );
}

function checkProtocol(version: number): void {
  if (version < 2 || version > 5) {
    throw new CheckpointError('bad-pickle', `expected protocol 2 to 5, got ${version}`);
  }
}

function checkFrame(length: bigint, remaining: number): void {
  if (length > BigInt(remaining)) {
    throw new CheckpointError('truncated', `a frame of ${length.toString()} bytes, but only ${remaining} are left`);
  }
}

function pushStackGlobal(machine: PickleMachine): void {
  const name = machine.pop();
  const module = machine.pop();
  machine.pushGlobal(module, name);
}

/** A little-endian two's complement integer of up to 255 bytes; a number where it is exact. */
function pushInteger(machine: PickleMachine, bytes: Buffer): void {
  if (bytes.length <= 6) {
    machine.push(bytes.length === 0 ? 0 : bytes.readIntLE(0, bytes.length));
    return;
  }
  const digits = Buffer.from(bytes).reverse().toString('hex');
  const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x${digits}`));
  const number = Number(value);
  machine.pushObject(Number.isSafeInteger(number) ? number : value);
}
