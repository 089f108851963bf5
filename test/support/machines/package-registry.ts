import { spawnSync } from 'node:child_process';

/** The variables by which npm finds packages on this machine, and its programs. */
export function registryVariables(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) =>
    /^(PATH|npm_config_registry|NODE_EXTRA_CA_CERTS|(https?|no)_proxy)$/i.test(name),
  );
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  return { ...(Object.fromEntries(entries) as Record<string, string>), npm_config_registry: registry };
}
