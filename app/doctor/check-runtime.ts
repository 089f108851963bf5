import { installedDevices, runtimeVersion } from '../inference/runtime-files.ts';
import type { Finding, Problem } from './finding.ts';

/** What the program runs on. */
export interface RuntimeReport {
  readonly node: string;
  readonly system: string;
  readonly onnxruntime: string;
  /** Devices whose provider is installed, best first. */
  readonly providers: readonly string[];
}

/** Of package.json's `engines`. */
const LEAST_NODE = [20, 19] as const;

/** Node, onnxruntime and its providers. */
export function checkRuntime(): Finding<RuntimeReport> {
  const node = process.versions.node;
  const found = {
    node,
    system: `${process.platform}-${process.arch}`,
    onnxruntime: runtimeVersion(),
    providers: installedDevices(),
  };
  return { found, problems: isOldNode(node) ? [oldNode(node)] : [] };
}

function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
}

function oldNode(version: string): Problem {
  const least = LEAST_NODE.join('.');
  return {
    is_error: true,
    problem: `Node ${version} is older than ${least}`,
    remedy: `install Node ${least} or later`,
  };
}
