import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { HiresFixError } from './errors.ts';
import { editDistance } from './files/edit-distance.ts';
import { envFile } from './files/env-file.ts';
import { defaultModelsDir } from './files/models-folder.ts';
import { environment, SERVER_VARIABLES } from './options/environment.ts';
import type { Device } from './options/upscale-options.ts';
import { DEVICES } from './options/upscale-options.ts';
import { readBy } from './options/values.ts';

/** The environment is not usable; `problems` has one line for each bad variable. */
export class BadConfigError extends HiresFixError {
  readonly code = 'ERR_BAD_CONFIG';
  readonly fault = 'task';

  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Bad configuration:\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Variables whose values are never shown, and that worker processes do not get. */
export const SECRET_VARIABLES: readonly string[] = [
  'API_KEY',
  'WEBHOOK_SECRET',
  'REDIS_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** What the service runs by; plain data, so that it can be sent to worker processes. Folders are absolute, times in ms. */
export type Config = Readonly<ReturnType<typeof toConfig>>;

/**
 * Reads and checks the environment. With no argument also a `.env` file in the working folder, whose values give way to
 * those that are set. An empty value counts as unset.
 * @throws BadConfigError that names every bad variable at once
 */
export function loadConfig(env?: Environment): Config {
  return configOf(env ?? processEnvironment());
}

/** The same for what works on pictures without a server, which has nothing to do with a server's variables, bad ones too. */
export function loadLocalConfig(env?: Environment): Config {
  const given = Object.entries(env ?? processEnvironment());
  return configOf(Object.fromEntries(given.filter(([name]) => !SERVER_VARIABLES.has(name))));
}

type Environment = Readonly<Record<string, string | undefined>>;

function configOf(given: Environment): Config {
  const set = Object.fromEntries(
    Object.entries(given).flatMap(([name, value = '']) =>
      // Blanks for a key are a mistake, and would open the service to everyone.
      value.trim() !== '' || (name === 'API_KEY' && value !== '') ? [[name, value.trim()]] : [],
    ),
  );
  const parsed = readBy(environment, set);
  if (parsed.success) {
    const problems = problemsBetween(parsed.data);
    if (problems.length > 0) throw new BadConfigError(problems);
    return toConfig(parsed.data);
  }
  throw new BadConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name}: ${message}${SECRET_VARIABLES.includes(name) ? '' : `, got ${JSON.stringify(set[name])}`}`;
    }),
  );
}

/** What one variable needs of another. */
function problemsBetween(env: z.output<typeof environment>): readonly string[] {
  const [isWebhookSigned, isShared] = [env.WEBHOOK_SECRET !== undefined, env.REDIS_URL !== undefined];
  const second = env.DASHBOARD_PORT;
  return [
    env.WEBHOOKS_ENABLED && !isWebhookSigned ? 'WEBHOOK_SECRET: needed by WEBHOOKS_ENABLED=true' : [],
    env.WORKERS === 0 && !isShared ? 'REDIS_URL: needed by WORKERS=0, whose jobs are run by other servers' : [],
    second !== undefined && second !== 0 && second === env.PORT
      ? `DASHBOARD_PORT: is PORT, where the dashboard is anyway; leave it unset, got "${second}"`
      : [],
  ].flat();
}

/** Variables that are none of ours and look as if they were to be one: each with the one that may be meant. */
export function mistypedVariables(
  given: Environment = process.env,
): readonly (readonly [name: string, meant: string])[] {
  const known = Object.keys(environment.shape);
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const plain = name.replace(/^HIRESFIX_(?!API_KEY$)/, '');
      const meant = known.find((one) => one === plain) ?? known.find((one) => isNear(name, one));
      return meant === undefined ? [] : [[name, meant] as const];
    });
}

/** Short names are near to too much that has nothing to do with them, as HOME is to HOST. */
function isNear(name: string, known: string): boolean {
  const most = known.length < 5 ? 0 : known.length < 8 ? 1 : 2;
  return Math.abs(name.length - known.length) <= most && editDistance(name, known) <= most;
}

/** The same configuration without what a process that decodes strangers' files has no use for. */
export function withoutSecrets(config: Config): Config {
  return { ...config, apiKeyDigests: [], webhookSecret: undefined, redisUrl: undefined, storage: undefined };
}

/** What a process is given to run with that has no business with the service's secrets. */
export function environmentWithoutSecrets(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRET_VARIABLES.includes(name)));
}

function processEnvironment(): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(envFile())) process.env[name] ??= value;
  return process.env;
}

function toConfig(env: z.output<typeof environment>) {
  return {
    port: env.PORT,
    dashboardPort: env.DASHBOARD_PORT,
    host: env.HOST,
    allowedOrigins: env.ALLOWED_ORIGINS as readonly string[],
    allowedHosts: env.ALLOWED_HOSTS as readonly string[],
    /** SHA-256, in hex: the keys themselves are not kept. */
    apiKeyDigests: env.API_KEY.map((key) => createHash('sha256').update(key).digest('hex')) as readonly string[],
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    maxFileSizeBytes: Math.round(env.MAX_FILE_SIZE_MB * 2 ** 20),
    maxInputPixels: env.MAX_INPUT_PIXELS,
    maxOutputPixels: env.MAX_OUTPUT_PIXELS,
    modelsDir: env.MODELS_DIR === undefined ? defaultModelsDir() : resolve(env.MODELS_DIR),
    allowModelUpload: env.ALLOW_MODEL_UPLOAD,
    allowUrlInput: env.ALLOW_URL_INPUT,
    modelUpscale: env.MODEL_UPSCALE,
    modelColorize: env.MODEL_COLORIZE,
    modelRestore: env.MODEL_RESTORE,
    modelDownloads: env.MODEL_DOWNLOADS,
    modelMirror: env.MODEL_MIRROR,
    downloadSegments: env.DOWNLOAD_SEGMENTS,
    ...deviceOf(env.DEVICE),
    gpuMemoryBytes: env.GPU_MEMORY_MB === undefined ? undefined : env.GPU_MEMORY_MB * 2 ** 20,
    forceCpu: env.FORCE_CPU,
    precision: env.PRECISION,
    tile: env.TILE,
    tilePad: env.TILE_PAD,
    modelKeepAliveMs: Math.round(env.MODEL_KEEP_ALIVE_SECONDS * 1000),
    isFaceEnhance: env.IS_FACE_ENHANCE,
    faceRestorationStrength: env.FACE_RESTORATION_STRENGTH,
    modelFace: env.MODEL_FACE === 'v0.1' ? 'codeformer' : env.MODEL_FACE,
    uploadFolder: resolve(env.UPLOAD_FOLDER),
    processedFolder: resolve(env.PROCESSED_FOLDER),
    workers: env.WORKERS,
    /** Workers that share a card; fewer where there are several. */
    workersPerCard: Math.max(1, env.WORKERS),
    maxQueue: env.MAX_QUEUE,
    maxQueuePerCaller: env.MAX_QUEUE_PER_CALLER,
    jobTtlMs: Math.round(env.JOB_TTL_MINUTES * 60_000),
    janitorIntervalMs: Math.round(env.JANITOR_INTERVAL_MINUTES * 60_000),
    resultCacheBytes: env.RESULT_CACHE_MB * 2 ** 20,
    jobTimeoutMs: Math.round(env.JOB_TIMEOUT_SECONDS * 1000),
    redisUrl: env.REDIS_URL,
    storage: storageOf(env),
    webhooksEnabled: env.WEBHOOKS_ENABLED,
    webhookSecret: env.WEBHOOK_SECRET,
    logLevel: env.LOG_LEVEL,
  };
}

/** `card` is the N of `cuda:N`. */
function deviceOf(text: string): { readonly device: Device; readonly card: number | undefined } {
  const [name, number] = text.split(':');
  return {
    device: DEVICES.find((one) => one === name) ?? 'auto',
    card: number === undefined ? undefined : Number(number),
  };
}

function storageOf(env: z.output<typeof environment>) {
  const { STORAGE_URL: url, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (url === undefined) return undefined;
  const [bucket = '', ...prefix] = url.slice('s3://'.length).split('/');
  const token = env.AWS_SESSION_TOKEN;
  return {
    bucket,
    prefix: prefix.filter(Boolean).join('/'),
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, ...(token !== undefined && { sessionToken: token }) },
  };
}
