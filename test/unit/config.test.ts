import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BadConfigError, loadConfig, loadLocalConfig, mistypedVariables } from '../../app/config.ts';
import { defaultModelsDir } from '../../app/files/models-folder.ts';
import { environment } from '../../app/options/environment.ts';

/** One whose SHA-256 is in FIPS 180-2. */
const PUBLISHED_TEXT = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq';

describe('loadConfig', () => {
  it('gives the defaults of the contract where nothing is set', () => {
    expect(loadConfig({})).toEqual({
      port: 8001,
      allowModelUpload: false,
      allowUrlInput: false,
      host: '127.0.0.1',
      allowedOrigins: [],
      allowedHosts: [],
      apiKeyDigests: [],
      rateLimitPerMinute: 0,
      maxFileSizeBytes: 10 * 2 ** 20,
      maxInputPixels: 2 ** 26,
      maxOutputPixels: 2 ** 29,
      modelsDir: fileURLToPath(new URL('../../models', import.meta.url)),
      modelUpscale: 'x4plus',
      modelColorize: 'modelscope',
      modelRestore: 'denoise',
      modelDownloads: true,
      modelKeepAliveMs: 0,
      modelMirror: undefined,
      downloadSegments: 8,
      device: 'auto',
      forceCpu: false,
      precision: 'auto',
      tile: 'auto',
      tilePad: 'auto',
      isFaceEnhance: false,
      faceRestorationStrength: 0.8,
      modelFace: 'codeformer',
      uploadFolder: resolve('temp_uploads'),
      processedFolder: resolve('processed_images'),
      workers: 1,
      workersPerCard: 1,
      maxQueue: 100,
      maxQueuePerCaller: undefined,
      jobTtlMs: 3_600_000,
      janitorIntervalMs: 1_800_000,
      resultCacheBytes: 512 * 2 ** 20,
      jobTimeoutMs: 3_600_000,
      webhooksEnabled: false,
      webhookSecret: undefined,
      logLevel: 'info',
    });
  });

  it('is plain data, equal after a trip through JSON', () => {
    const config = loadConfig({ MODEL_MIRROR: 'https://mirror.example/weights', ALLOWED_ORIGINS: 'https://a.example' });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it.each([
    ['true', true],
    ['YES', true],
    ['1', true],
    ['on', true],
    ['false', false],
    ['no', false],
    ['0', false],
    ['Off', false],
  ])('reads the boolean %s as %s', (text, expected) => {
    expect(loadConfig({ FORCE_CPU: text }).forceCpu).toBe(expected);
  });

  it('takes an empty value for an unset one', () => {
    expect(loadConfig({ PORT: '', HOST: '  ', MODEL_MIRROR: '' })).toEqual(loadConfig({}));
  });

  it('reads tiles as numbers or auto, and 0 as a number', () => {
    expect(loadConfig({ TILE: '0', TILE_PAD: 'auto' })).toMatchObject({ tile: 0, tilePad: 'auto' });
  });

  it('reads origins, with or without a slash', () => {
    const { allowedOrigins } = loadConfig({ ALLOWED_ORIGINS: 'https://a.example/, http://localhost:3000' });
    expect(allowedOrigins).toEqual(['https://a.example', 'http://localhost:3000']);
  });

  it.each([',', ' ', ' , ,', '\t'])('takes no API_KEY that holds no key, as %j does not', (key) => {
    expect(() => loadConfig({ API_KEY: key })).toThrow(/API_KEY: expected at least one key/);
  });

  it('takes names of hosts, without scheme and port', () => {
    expect(loadConfig({ ALLOWED_HOSTS: 'Up.example, 10.0.0.5,[fe80::1]' }).allowedHosts).toEqual([
      'up.example',
      '10.0.0.5',
      '[fe80::1]',
    ]);
    for (const bad of ['https://up.example', 'up.example:80', 'two words', '*']) {
      expect(() => loadConfig({ ALLOWED_HOSTS: bad })).toThrow(/ALLOWED_HOSTS: expected names/);
    }
  });

  it('keeps the digests of keys, and does not show bad ones', () => {
    const { apiKeyDigests } = loadConfig({ API_KEY: ` ${PUBLISHED_TEXT}, key-2 ,` });
    expect(apiKeyDigests[0]).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
    expect(apiKeyDigests).toHaveLength(2);
    expect(() => loadConfig({ API_KEY: 'two words' })).toThrow(/API_KEY: expected keys/);
    expect(() => loadConfig({ API_KEY: 'two words' })).not.toThrow(/two words/);
  });

  it.each(['Q', 'Q,W,Z', 'a-long-enough-key,QWZ'])('takes no API_KEY that is guessed, as one in %j is', (keys) => {
    expect(() => loadConfig({ API_KEY: keys })).toThrow(/API_KEY: expected keys of at least 4 characters/);
    expect(() => loadConfig({ API_KEY: keys })).not.toThrow(keys.split(',').at(-1));
  });

  it('does not enable webhooks without a secret to sign them by', () => {
    expect(() => loadConfig({ WEBHOOKS_ENABLED: 'true' })).toThrow('WEBHOOK_SECRET: needed by WEBHOOKS_ENABLED=true');
    expect(() => loadConfig({ WEBHOOK_SECRET: 'too short' })).toThrow(/^((?!too short).)*$/s);
    const { webhooksEnabled, webhookSecret } = loadConfig({ WEBHOOKS_ENABLED: 'true', WEBHOOK_SECRET: 'x'.repeat(16) });
    expect([webhooksEnabled, webhookSecret]).toEqual([true, 'x'.repeat(16)]);
  });

  it('names every bad variable at once, what was expected and what came', () => {
    const bad = {
      PORT: '70000',
      FORCE_CPU: 'maybe',
      TILE: '-1',
      DEVICE: 'tpu',
      MODEL_MIRROR: 'ftp://x',
      WORKERS: '1.5',
    };
    let error: unknown;
    try {
      loadConfig(bad);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BadConfigError);
    expect([...(error as BadConfigError).problems].sort()).toEqual([
      'DEVICE: expected auto, cuda, mps, cpu, or cuda:N for a card, got "tpu"',
      'FORCE_CPU: expected true, false, 1, 0, yes, no, on or off, got "maybe"',
      'MODEL_MIRROR: expected an http or https URL, got "ftp://x"',
      'PORT: expected a whole number from 0 to 65535, got "70000"',
      'TILE: expected auto or a whole number of at least 0, got "-1"',
      'WORKERS: expected a whole number from 0 to 64, got "1.5"',
    ]);
  });

  it.each([
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['MAX_FILE_SIZE_MB', '0'],
    ['MAX_FILE_SIZE_MB', 'NaN'],
    ['MAX_QUEUE', '99999999999999999'],
    ['JOB_TIMEOUT_SECONDS', '1e12'],
    ['ALLOWED_ORIGINS', '*'],
    ['ALLOWED_ORIGINS', 'https://a.example/path'],
    ['LOG_LEVEL', 'verbose'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`${name}: expected`);
  });

  it('reads a .env file in the working folder, which gives way to what is set', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      writeFileSync(join(folder, '.env'), 'PORT=9001\nHOST=0.0.0.0\n');
      const script = `import { loadConfig } from ${JSON.stringify(new URL('../../app/config.ts', import.meta.url).href)};
        const { port, host } = loadConfig(); console.log(JSON.stringify([port, host]));`;
      const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url));
      const run = spawnSync(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], {
        cwd: folder,
        env: { PATH: process.env['PATH'], PORT: '9002' },
        encoding: 'utf8',
      });
      expect([run.stdout.trim(), run.stderr]).toEqual(['[9002,"0.0.0.0"]', '']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the variables of the contract', () => {
  /** Each with a value that is not its default. */
  const OTHERS: Readonly<Record<string, string>> = {
    PORT: '9000',
    HOST: '0.0.0.0',
    DASHBOARD_PORT: '8091',
    API_KEY: 'a-key',
    ALLOWED_ORIGINS: 'https://a.example',
    ALLOWED_HOSTS: 'a.example',
    MAX_FILE_SIZE_MB: '20',
    MAX_INPUT_PIXELS: '1000',
    MAX_OUTPUT_PIXELS: '1000',
    UPLOAD_FOLDER: 'elsewhere',
    PROCESSED_FOLDER: 'elsewhere',
    MODELS_DIR: 'elsewhere',
    MODEL_UPSCALE: 'x4anime',
    MODEL_COLORIZE: 'artistic',
    MODEL_RESTORE: 'deblur',
    MODEL_FACE: 'gfpgan-1.4',
    IS_FACE_ENHANCE: 'true',
    FACE_RESTORATION_STRENGTH: '0.5',
    MODEL_DOWNLOADS: 'false',
    MODEL_MIRROR: 'https://mirror.example',
    DOWNLOAD_SEGMENTS: '4',
    DEVICE: 'cpu',
    FORCE_CPU: 'true',
    PRECISION: 'fp32',
    TILE: '256',
    TILE_PAD: '10',
    MODEL_KEEP_ALIVE_SECONDS: '60',
    WORKERS: '2',
    ALLOW_MODEL_UPLOAD: 'true',
    MAX_QUEUE: '5',
    MAX_QUEUE_PER_CALLER: '2',
    RATE_LIMIT_PER_MINUTE: '60',
    JOB_TTL_MINUTES: '5',
    JANITOR_INTERVAL_MINUTES: '5',
    JOB_TIMEOUT_SECONDS: '60',
    RESULT_CACHE_MB: '0',
    WEBHOOKS_ENABLED: 'true',
    WEBHOOK_SECRET: 'sixteen characters',
    ALLOW_URL_INPUT: 'true',
    REDIS_URL: 'redis://127.0.0.1:6379/1',
    STORAGE_URL: 's3://bucket/prefix',
    LOG_LEVEL: 'debug',
  };

  it.each(Object.entries(OTHERS))('have an effect, as %s=%s has', (name, value) => {
    const needed = name.startsWith('WEBHOOK') ? { WEBHOOK_SECRET: 'sixteen letters.' } : {};
    const before = loadConfig(needed);
    expect(loadConfig({ ...needed, [name]: value })).not.toEqual(before);
  });

  it.each([
    ['DEVICE', 'cuda:one'],
    ['DEVICE', 'mps:1'],
    ['WORKERS', '-1'],
  ])('that are not taken whole name what is: %s=%s', (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`${name}: expected`);
  });

  it('name a card of CUDA by its number', () => {
    expect(loadConfig({ DEVICE: 'cuda:1' })).toMatchObject({ device: 'cuda', card: 1 });
    expect(loadConfig({ DEVICE: 'cuda' })).toMatchObject({ device: 'cuda', card: undefined });
  });

  it('asks for Redis where jobs are accepted for other servers', () => {
    expect(() => loadConfig({ WORKERS: '0' })).toThrow('REDIS_URL: needed by WORKERS=0');
    expect(loadConfig({ WORKERS: '0', REDIS_URL: 'redis://localhost' })).toMatchObject({ workers: 0 });
  });

  it('are taken at their defaults, in words too, where there is nothing behind them', () => {
    const defaults = {
      MODEL_KEEP_ALIVE_SECONDS: '0',
    };
    expect(loadConfig(defaults)).toEqual(loadConfig({}));
  });

  it("that are a server's alone, bad ones too, are nothing to what works on pictures", () => {
    const bad = {
      PORT: '-1',
      LOG_LEVEL: 'trace',
      API_KEY: ',',
      REDIS_URL: 'x',
      WEBHOOKS_ENABLED: 'true',
      MAX_QUEUE: '0',
    };
    expect(() => loadConfig(bad)).toThrow(BadConfigError);
    expect(loadLocalConfig({ ...bad, TILE: '64', JOB_TIMEOUT_SECONDS: '5' })).toMatchObject({
      tile: 64,
      jobTimeoutMs: 5000,
    });
    expect(() => loadLocalConfig({ TILE: '-1' })).toThrow(/^Bad configuration:\n {2}TILE: /);
  });

  it('are told from others that look like them', () => {
    const given = {
      MODEL_DIR: 'x',
      MODELS_DIRS: 'x',
      LOGLEVEL: 'x',
      APIKEY: 'x',
      HIRESFIX_PORT: 'x',
      MAX_FILE_SZIE_MB: 'x',
      ...{
        HOME: 'x',
        POST: 'x',
        TILES: 'x',
        HIRESFIX_API_KEY: 'x',
        MODELS_DIR: 'x',
        PATH: 'x',
        LOGNAME: 'x',
        SHELL: 'x',
      },
    };
    expect(mistypedVariables(given)).toEqual([
      ['MODEL_DIR', 'MODELS_DIR'],
      ['MODELS_DIRS', 'MODELS_DIR'],
      ['LOGLEVEL', 'LOG_LEVEL'],
      ['APIKEY', 'API_KEY'],
      ['HIRESFIX_PORT', 'PORT'],
      ['MAX_FILE_SZIE_MB', 'MAX_FILE_SIZE_MB'],
    ]);
  });
});

describe('the folder of the weights, where none is named', () => {
  const [linux, home] = ['/home/one/.local/share/hiresfix/models', '/home/one'];
  it.each([
    ['in a checkout', '/src/hiresfix', 'linux', {}, '/src/hiresfix/models'],
    ['where it is installed', '/usr/lib/node_modules/hiresfix', 'linux', {}, linux],
    ['with a data folder', '/p/node_modules/hiresfix', 'linux', { XDG_DATA_HOME: '/data' }, '/data/hiresfix/models'],
    ['with a relative one, which does not count', '/p/node_modules/hiresfix', 'linux', { XDG_DATA_HOME: 'x' }, linux],
    ['on macOS', '/p/node_modules/hiresfix', 'darwin', {}, '/home/one/Library/Application Support/hiresfix/models'],
    ['on Windows', '/p/node_modules/hiresfix', 'win32', { LOCALAPPDATA: '/local' }, '/local/hiresfix/models'],
  ] as const)('%s is the same from wherever it is asked', (...[, folder, platform, env, expected]) => {
    expect(defaultModelsDir(folder, { platform, env, home })).toBe(expected);
  });
});

describe('.env.example', () => {
  const example = parseEnv(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'));

  it('lists every variable of the schema, and no other', () => {
    expect(Object.keys(example).sort()).toEqual(Object.keys(environment.shape).sort());
  });

  it('states the defaults', () => {
    expect(loadConfig(example as Record<string, string>)).toEqual(loadConfig({}));
    const empty = Object.entries(example).flatMap(([name, value]) => (value ? [] : [name]));
    expect(empty.sort()).toEqual([
      'ALLOWED_HOSTS',
      'ALLOWED_ORIGINS',
      'API_KEY',
      'AWS_ACCESS_KEY_ID',
      'AWS_ENDPOINT_URL',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'DASHBOARD_PORT',
      'GPU_MEMORY_MB',
      'MAX_QUEUE_PER_CALLER',
      'MODELS_DIR',
      'MODEL_MIRROR',
      'REDIS_URL',
      'STORAGE_URL',
      'WEBHOOK_SECRET',
    ]);
  });

  it('describes each variable as the schema does', () => {
    const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
    for (const [name, schema] of Object.entries(environment.shape)) {
      expect(text).toContain(`# ${String(schema.description)}\n${name}=`);
    }
  });
});
