import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readElfFile } from './elf-file.ts';
import { missingLibraries } from './missing-libraries.ts';
import { CUDA_PROVIDER, runtimeFolder } from './runtime-files.ts';

/** What the provider cannot be loaded without, beside its own file. */
const SHARED_PROVIDER = CUDA_PROVIDER.replace('_cuda.', '_shared.');
/** The provider loads it by name with the first convolution: it is not among the libraries that its file lists. */
const CUDNN = 'libcudnn.so.9';

/** How the CUDA provider is installed. */
export interface CudaProvider {
  /** Its file; null where there is none. */
  readonly file: string | null;
  /** The CUDA that it was built for, as 12 or 13; null where it does not say. */
  readonly cuda: number | null;
  /** Names of the libraries that are not there, its own among them. */
  readonly missing: readonly string[];
}

/** Looks at the files of the CUDA provider, and for all that they need. */
export function inspectCudaProvider(): CudaProvider {
  const [file, shared] = [CUDA_PROVIDER, SHARED_PROVIDER].map((name) => join(runtimeFolder(), name));
  if (file === undefined || !existsSync(file)) return { file: null, cuda: null, missing: [CUDA_PROVIDER] };
  const isShared = shared !== undefined && existsSync(shared);
  return {
    file,
    cuda: cudaOf(file),
    missing: [...(isShared ? [] : [SHARED_PROVIDER]), ...missingLibraries(file, [CUDNN])],
  };
}

/** What is missing for CUDA, as the end of a sentence; undefined where nothing is. */
export function missingForCuda(): string | undefined {
  const { file, missing } = inspectCudaProvider();
  if (file === null) return `its provider, ${CUDA_PROVIDER}, is not installed (hiresfix doctor says where to get it)`;
  if (missing.length === 0) return undefined;
  return `not found: ${missing.join(', ')} (hiresfix doctor says where to get ${missing.length === 1 ? 'it' : 'them'})`;
}

/** Its CUDA runtime's version is the number of the library. */
function cudaOf(file: string): number | null {
  const numbers = readElfFile(file)?.needed.map((name) => /^libcudart\.so\.(\d+)$/.exec(name)?.[1]);
  const found = numbers?.find((number) => number !== undefined);
  return found === undefined ? null : Number(found);
}
