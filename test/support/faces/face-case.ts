import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { openCheckpoint } from '../../../app/checkpoints/open-checkpoint.ts';
import { readTensor } from '../../../app/checkpoints/read-tensor.ts';
import type { TensorData } from '../../../app/checkpoints/safetensors-writer.ts';
import { readPng } from '../images/png.ts';

/** A conformance case whose input is a cut of a picture and whose outputs are kept in part: test/fixtures/cases/NAME.json. */
export interface FaceCase {
  readonly file: string;
  readonly input: {
    readonly order: 'RGB' | 'BGR';
    readonly divide: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
    /** From, to. */
    readonly rows: readonly [number, number];
    readonly columns: readonly [number, number];
  };
  readonly outputs: Readonly<Record<string, ExpectedOutput>>;
}

interface ExpectedOutput {
  readonly shape: readonly number[];
  /** Largest difference; integers have `exact` or `may_differ` (how many) in its place. */
  readonly tolerance?: number;
  readonly may_differ?: number;
  /** `whole`, or `NAME = [..., rows, columns]; ...` as numpy slices. */
  readonly stored: string;
}

const CASES = new URL('../../fixtures/cases/', import.meta.url);

export function readFaceCase(name: string): FaceCase {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`${name}.json`, CASES)), 'utf8')) as FaceCase;
}

/** The tensor `input` of a case, out of the picture that all of them are cut from. */
export function faceCaseInput({ input }: FaceCase): TensorData {
  const picture = readPng(readFileSync(fileURLToPath(new URL('face-a.png', CASES))));
  const [[top, bottom], [left, right]] = [input.rows, input.columns];
  const [height, width] = [bottom - top, right - left];
  const data = new Float32Array(3 * height * width);
  for (let i = 0; i < data.length; i++) {
    const channel = Math.trunc(i / (height * width));
    const [y, x] = [Math.trunc(i / width) % height, i % width];
    const from = ((top + y) * picture.width + left + x) * picture.channels;
    const value = picture.data[from + (input.order === 'BGR' ? 2 - channel : channel)] ?? NaN;
    const mean = Math.fround(input.mean[channel] ?? NaN);
    data[i] = Math.fround(Math.fround(value / input.divide) - mean) / Math.fround(input.std[channel] ?? NaN);
  }
  return { shape: [1, 3, height, width], dtype: 'float32', data };
}

/**
 * Compares the tensor `actual` of a written file with output `name` of a case, wherever the case kept it.
 * @returns the largest difference, and how many elements differ
 */
export function compareOutput(
  golden: FaceCase,
  name: string,
  written: { readonly file: string; readonly tensor: string },
): { largest: number; differing: number } {
  const expected = golden.outputs[name];
  const outputs = openCheckpoint(written.file);
  const shape = outputs.tensors.get(written.tensor)?.shape;
  expect(shape).toEqual(expected?.shape);
  const actual = readTensor(outputs, written.tensor);
  const kept = openCheckpoint(fileURLToPath(new URL(golden.file.replace('cases/', ''), CASES)));
  let [largest, differing] = [0, 0];
  for (const { tensor, at } of partsOf(name, expected?.stored ?? '', shape ?? [])) {
    readTensor(kept, tensor).forEach((value, i) => {
      const apart = Math.abs((actual[at(i)] ?? NaN) - value);
      largest = apart <= largest ? largest : apart; // NaN stays
      differing += apart === 0 ? 0 : 1;
    });
  }
  return { largest, differing };
}

/** The tensors in which an output is kept, and where in the whole output their elements are. */
function partsOf(
  name: string,
  stored: string,
  shape: readonly number[],
): { tensor: string; at: (i: number) => number }[] {
  if (stored === 'whole') return [{ tensor: name, at: (i) => i }];
  const [height = 0, width = 0] = shape.slice(-2);
  return [...stored.matchAll(/(\S+) = \[\.\.\., ([^,]+), ([^\]]+)\]/g)].map(
    ([, tensor = '', rows = '', columns = '']) => {
      const [ys, xs] = [positions(rows, height), positions(columns, width)];
      const at = (i: number): number => {
        const [x, y] = [xs[i % xs.length] ?? NaN, ys[Math.trunc(i / xs.length) % ys.length] ?? NaN];
        return (Math.trunc(i / (xs.length * ys.length)) * height + y) * width + x;
      };
      return { tensor, at };
    },
  );
}

/** The numbers of a numpy slice: `2::5` or `95:111`. */
function positions(slice: string, size: number): number[] {
  const [start = '', end = '', step = ''] = slice.split(':');
  const all = Array.from({ length: size }, (_, i) => i);
  return all.slice(Number(start), end === '' ? size : Number(end)).filter((_, i) => i % (Number(step) || 1) === 0);
}
