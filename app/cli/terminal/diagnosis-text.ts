import type { CardReport } from '../../doctor/check-cuda.ts';
import type { FolderReport } from '../../doctor/check-folders.ts';
import type { Diagnosis } from '../../doctor/diagnose.ts';
import { printable } from '../../errors.ts';

/** A diagnosis for a terminal: what there is, a line each, then what is wrong and what to do. */
export function diagnosisText(diagnosis: Diagnosis): string {
  const { version, runtime, devices, models, folders, downloads, problems } = diagnosis;
  const lines = [
    `hiresfix ${version}, Node ${runtime.node} on ${runtime.system}, onnxruntime ${runtime.onnxruntime} (${runtime.providers.join(', ')})`,
    ...cudaLines(diagnosis),
    ...devices.map(({ device, is_working: isWorking, seconds }) =>
      row(device, isWorking ? `a small picture in ${seconds} s` : 'does not work'),
    ),
    row('models', models.map(({ name, state }) => `${printable(name)} (${state})`).join(', ') || 'none'),
    ...folders.map((folder) => row(folder.variable, folderText(folder))),
    row('downloads', downloadsText(downloads)),
    '',
    ...problems.flatMap(({ is_error: isError, problem, remedy }) => [
      `${isError ? 'problem' : 'note'}: ${printable(problem)}`,
      `  what to do: ${remedy}`,
    ]),
  ];
  return [...lines, ...(problems.length === 0 ? ['nothing is wrong'] : [])].join('\n');
}

function row(name: string, text: string): string {
  return `${name.padEnd(17)} ${text}`;
}

function cudaLines({ cuda }: Diagnosis): readonly string[] {
  const { provider, cuda: version, missing_libraries: missing, cards } = cuda;
  if (provider === null && cards.length === 0) return [];
  const libraries =
    missing.length === 0 ? 'nothing is missing' : `missing: ${missing.map(({ name }) => name).join(', ')}`;
  const state =
    provider === null ? 'its provider is not installed' : `provider for CUDA ${version ?? '?'}, ${libraries}`;
  return [row('CUDA', state), ...cards.map((card) => row(`card ${card.index}`, cardText(card)))];
}

function cardText({ name, driver, memory_mib: total, free_mib: free, cuda_number: number }: CardReport): string {
  const memory = total === null ? 'shared memory' : `${total} MiB, ${free ?? '?'} free`;
  return `${name}, ${memory}, driver ${driver}${number === null ? ', hidden by CUDA_VISIBLE_DEVICES' : `, DEVICE=cuda:${number}`}`;
}

function folderText({ path, is_there: isThere, is_writable: isWritable, free_bytes: free }: FolderReport): string {
  const state = isThere ? (isWritable ? 'writable' : 'not writable') : isWritable ? 'not yet made' : 'cannot be made';
  return `${printable(path)} (${state}${free === null ? '' : `, ${(free / 1e9).toFixed(1)} GB free`})`;
}

function downloadsText({ is_enabled: isEnabled, is_reachable: isReachable, host }: Diagnosis['downloads']): string {
  if (!isEnabled) return 'off';
  return isReachable === true ? `${host} answers` : 'nobody answers';
}
