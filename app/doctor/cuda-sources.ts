/** A library that is missing, and where it comes from. */
export interface MissingLibrary {
  readonly name: string;
  readonly source: string;
}

/** Where to get a library that CUDA's provider needs. @param cuda the CUDA that the provider was built for, as 12 or 13 */
export function sourceOfLibrary(name: string, cuda: number | null): MissingLibrary {
  return { name, source: sourceOf(name, cuda ?? 12) };
}

function sourceOf(name: string, cuda: number): string {
  if (name.includes('onnxruntime_providers_')) return 'the CUDA provider of onnxruntime (docs/gpus.md)';
  if (name.startsWith('libcuda.so')) return "NVIDIA's driver for the card";
  if (name.startsWith('libcudnn')) return `cuDNN 9 for CUDA ${cuda} (${cudnnPackages(cuda)})`;
  const wheel = WHEELS.find(([pattern]) => pattern.test(name))?.[1];
  if (wheel !== undefined) return `CUDA ${cuda} (${cudaPackages(wheel, cuda)})`;
  return "the system's own packages";
}

/** Libraries of CUDA, and the wheels on PyPI that have them. */
const WHEELS: readonly (readonly [RegExp, string])[] = [
  [/^libcublas/, 'nvidia-cublas'],
  [/^libcudart/, 'nvidia-cuda-runtime'],
  [/^libcurand/, 'nvidia-curand'],
  [/^libcufft/, 'nvidia-cufft'],
  [/^libnvrtc/, 'nvidia-cuda-nvrtc'],
  [/^libnvJitLink/, 'nvidia-nvjitlink'],
];

/** From CUDA 13 on the names of the wheels have no number; those of cuDNN still have. */
function cudaPackages(wheel: string, cuda: number): string {
  return `pip install ${cuda < 13 ? `${wheel}-cu${cuda}` : wheel}, or NVIDIA's package repository`;
}

function cudnnPackages(cuda: number): string {
  return `pip install nvidia-cudnn-cu${cuda}, or cudnn9-cuda-${cuda} of NVIDIA's package repository`;
}
