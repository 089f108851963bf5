import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { isAllowedHost } from '../../app/access/allowed-host.ts';
import { loadConfig } from '../../app/config.ts';
import { environment } from '../../app/options/environment.ts';
import { CommandLine } from '../support/command-line.ts';
import type { HttpService } from '../support/servers/http-service.ts';
import { echo, openHttpService } from '../support/servers/http-service.ts';
import type { TemporaryFolder } from '../support/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../fixtures/deploy/compose-spec.json', import.meta.url));

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Readonly<Record<string, unknown>>;
        readonly ports?: readonly string[];
        readonly profiles?: readonly string[];
      }
    >
  >;
}

describe('what deploys the service', () => {
  let folder: TemporaryFolder;
  let service: HttpService;
  let commandLine: CommandLine;

  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await openHttpService(echo);
    commandLine = await CommandLine.build();
  });
  afterAll(async () => {
    await commandLine.remove();
    await service.close();
    await folder.remove();
  });

  const textOf = (name: string): Promise<string> => readFile(join(DEPLOY, name), 'utf8');
  const composed = async (): Promise<Compose> => parse(await textOf('compose.yaml'), { merge: true }) as Compose;
  /** A checker that this machine may lack; CI has those of systemd and Python. */
  const withTool = (tool: string) => (spawnSync('which', [tool]).status === 0 ? it : it.skip);

  it('is a Compose file by the schema of Compose', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const schema = JSON.parse(await readFile(SCHEMA, 'utf8')) as Record<string, unknown>;
    delete schema['$schema']; // draft 7, by an address that Ajv does not know it by
    const isValid = ajv.validate(schema, await composed());
    expect(ajv.errors).toBeNull();
    expect(isValid).toBe(true);
  });

  it('sets variables that the service knows, in Compose, Dockerfiles and the unit', async () => {
    const { services } = await composed();
    const ours = Object.keys({ ...services['hiresfix']?.environment, ...services['worker']?.environment });
    const files = await Promise.all(['Dockerfile', 'Dockerfile.cuda', 'systemd/hiresfix.service'].map(textOf));
    const lines = files.flatMap((text) => text.match(/^(ENV|Environment=).*$/gm) ?? []);
    const theirs = lines.flatMap((line) => [...line.matchAll(/([A-Z][A-Z_]+)=/g)].map(([, name = '']) => name));
    const system = ['NODE_ENV', 'MALLOC_ARENA_MAX', 'XDG_CACHE_HOME', 'ONNXRUNTIME_NODE_INSTALL'];
    expect(theirs.length).toBeGreaterThan(15);
    const unknown = [...ours, ...theirs].filter((name) => !(name in environment.shape) && !system.includes(name));
    expect(unknown).toEqual([]);
  });

  it('answers by loopback names and to other containers where nothing is set, as its port is of this machine alone', async () => {
    const { services } = await composed();
    const { ports = [], environment: settings = {} } = services['hiresfix'] ?? {};
    expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
    const [, names = ''] = /^\$\{ALLOWED_HOSTS:-(.*)\}$/.exec(String(settings['ALLOWED_HOSTS'])) ?? [];
    const config = loadConfig({ HOST: '0.0.0.0', ALLOWED_HOSTS: names });
    const hosts = ['localhost:8001', '127.0.0.1:8001', 'hiresfix:8001', 'a-page-of-a-stranger.test:8001'];
    expect(hosts.map((host) => isAllowedHost(host, config))).toEqual([true, true, true, false]);
  });

  it('starts with the settings of its profile `scale`', async () => {
    const lines = (await textOf('scale.env')).split('\n').filter((line) => /^[A-Z]/.test(line));
    const settings = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]));
    expect(loadConfig(settings)).toMatchObject({ workers: 0, storage: { bucket: 'hiresfix' } });
    const { services } = await composed();
    const hosts = [settings['REDIS_URL'], settings['AWS_ENDPOINT_URL']].map((url = '') => new URL(url).hostname);
    for (const host of hosts) expect(services[host]?.profiles).toEqual(['scale']);
  });

  it('asks for metrics that the service has, in the dashboard of Grafana and the alerts of Prometheus', async () => {
    const told = await (await fetch(`${service.url}/metrics`)).text();
    const known = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const texts = await Promise.all([textOf('grafana/dashboard.json'), textOf('prometheus/alerts.yaml')]);
    const asked = texts.flatMap((text) => text.match(/\b(hiresfix|process)_[a-z_]+/g) ?? []);
    const named = new Set(asked.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    expect(named.size).toBeGreaterThan(8);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
    // What a stage takes is part of the total, which is a stage there too.
    for (const [labels] of texts[0].matchAll(/hiresfix_stage_seconds\w*\{[^}]*\}/g)) expect(labels).toMatch(/stage!?=/);
    const { panels } = JSON.parse(texts[0]) as { panels: readonly { gridPos: object; targets: object[] }[] };
    expect(panels.length).toBeGreaterThanOrEqual(10);
  });

  it('removes from a bucket what the service has left there, and nothing before its time', async () => {
    const { Rules: rules } = JSON.parse(await textOf('s3/lifecycle.json')) as {
      Rules: readonly { Filter: { Prefix: string }; Expiration?: { Days: number } }[];
    };
    const [results] = rules.filter(({ Filter: filter }) => filter.Prefix === 'results/');
    expect((results?.Expiration?.Days ?? 0) * 24 * 60).toBeGreaterThan(loadConfig({}).jobTtlMs / 60_000);
  });

  it('is not started again by systemd where its settings are wrong', async () => {
    const { code } = await commandLine.run(['serve'], { cwd: folder.path, env: { PORT: 'none' } });
    expect(await textOf('systemd/hiresfix.service')).toContain(`\nRestartPreventExitStatus=${code}\n`);
  });

  withTool('systemd-analyze')('is a unit that systemd takes without a word', async () => {
    const { stdout, stderr } = await run('systemd-analyze', ['verify', join(DEPLOY, 'systemd/hiresfix.service')]);
    expect(stdout + stderr).toBe('');
  });

  withTool('python3')('is a program of Python for Modal', async () => {
    const compiled = join(folder.path, 'modal_app.pyc');
    const program = `import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True)`;
    await run('python3', ['-c', program, join(DEPLOY, 'modal_app.py'), compiled]);
  });

  withTool('promtool')('is a set of rules that Prometheus takes', async () => {
    await run('promtool', ['check', 'rules', join(DEPLOY, 'prometheus/alerts.yaml')]);
    await run('promtool', ['check', 'config', '--syntax-only', join(DEPLOY, 'prometheus/prometheus.yaml')]);
  });

  withTool('caddy')('is a Caddyfile that Caddy takes', async () => {
    await run('caddy', ['validate', '--adapter', 'caddyfile', '--config', join(DEPLOY, 'proxy/Caddyfile')], {
      env: { ...process.env, HOME: folder.path, XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path },
    });
  });
});
