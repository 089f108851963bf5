import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { SessionDevice } from './devices.ts';

/** What is needed beside onnxruntime for CUDA, by the names of its files on Linux and on Windows. */
export const CUDA_PROVIDER =
  process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';

/** The folder of onnxruntime's libraries for this system, where its providers have to lie as well. */
export function runtimeFolder(): string {
  return join(packageFolder(), 'bin', 'napi-v6', process.platform, process.arch);
}

/** The version of onnxruntime-node, which providers have to share. */
export function runtimeVersion(): string {
  const text = readFileSync(join(packageFolder(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/**
 * The devices that this installation has providers for, best first. CoreML comes with the Apple silicon build; CUDA's
 * library is downloaded by onnxruntime-node's install script where its user asks for it. Other providers (WebGPU, DirectML)
 * are left out: without a GPU they may find a software renderer, slower than the CPU and with other rounding.
 */
export function installedDevices(): SessionDevice[] {
  const hasCuda = existsSync(join(runtimeFolder(), CUDA_PROVIDER));
  const hasCoreMl = process.platform === 'darwin' && process.arch === 'arm64';
  return [...(hasCuda ? (['cuda'] as const) : []), ...(hasCoreMl ? (['mps'] as const) : []), 'cpu'];
}

function packageFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
}
