import type { Settings } from './settings.ts';

/** Element types of tensors in a checkpoint, in PyTorch's words. */
export type DType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** Bytes of one element. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Where a tensor's elements lie in its file. All numbers were checked against the file before this was made. */
export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** File offset of element 0, in bytes. */
  readonly offset: number;
  /** In elements, one per dimension. */
  readonly strides: readonly number[];
  /** C-contiguous and little-endian: the bytes at `offset` are the tensor, `shape` product times the element size long. */
  readonly isContiguous: boolean;
  readonly isBigEndian: boolean;
}

/** Bytes of a file, and the CRC-32 that they had when it was written. */
export interface Checksum {
  /** Of the member of the archive that they are. */
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly crc32: number;
}

export type CheckpointFormat = 'pth-zip' | 'pth-legacy' | 'safetensors';

/**
 * The named tensors of one network, as they lie in a checkpoint file: names after unwrapping (`params_ema` ...) and with
 * common prefixes (`module.`) taken off, in the file's order. Nothing of the weights is in memory.
 */
export interface StateDict {
  /** The file's path, as it was given. */
  readonly file: string;
  readonly format: CheckpointFormat;
  /** The keys that led to the state dict inside the file, e.g. `['params_ema']`. */
  readonly root: readonly string[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Names beside the tensors' that hold none: settings which some networks are told apart by. */
  readonly marks?: ReadonlySet<string>;
  /** What the file says of its network's parameters beside the weights (training programs write it). */
  readonly settings?: Settings;
  /** Of the storages that the tensors lie in, where the format has any; they were not compared. */
  readonly checksums?: readonly Checksum[];
  /** The names of what else the file holds: counters, optimizers, other networks. */
  readonly leftOut: readonly string[];
}
