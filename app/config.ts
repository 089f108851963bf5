import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { HiresFixError } from './errors.ts';
import { COLORIZE_MODELS } from './options/restore-options.ts';
import { DEVICES, PRECISIONS } from './options/upscale-options.ts';
import {
  autoOr,
  decimalText,
  flagText,
  fractionText,
  hosts,
  httpUrl,
  keys,
  origins,
  parseUrl,
  wholeText,
} from './options/values.ts';

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

const RESTORE_MODELS = ['denoise', 'deblur'] as const;
const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

const http = {
  PORT: wholeText({ min: 0, max: 65535 }).default(8001).describe('Port of REST and socket; 0 takes a free one'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 is every interface'),
  ALLOWED_ORIGINS: origins()
    .default([])
    .describe('Web origins that may call the service, comma-separated; its own is always allowed'),
  ALLOWED_HOSTS: hosts()
    .default([])
    .describe(
      'Names that the service is called by, comma-separated; none: localhost and the like while HOST is loopback',
    ),
  API_KEY: keys().default([]).describe('Keys that callers need one of, comma-separated; without any, all may come in'),
  RATE_LIMIT_PER_MINUTE: wholeText({ min: 0, max: 1_000_000 })
    .default(0)
    .describe('Requests a minute for each key; 0 is no limit'),
  MAX_FILE_SIZE_MB: decimalText({ above: 0, max: 4096 })
    .default(10)
    .describe('Largest image file, decoded from its transport, in MB (2^20 bytes)'),
};

const imaging = {
  MAX_INPUT_PIXELS: wholeText({ min: 1 })
    .default(2 ** 26)
    .describe('Largest input, width times height'),
  MAX_OUTPUT_PIXELS: wholeText({ min: 1 })
    .default(2 ** 29)
    .describe('Largest result, width times height'),
};

const catalog = {
  MODELS_DIR: z.string().default('models').describe('Folder of the weights'),
  MODEL_UPSCALE: z
    .string()
    .max(255)
    .default('x4plus')
    .describe(
      'Model above 2x: x2plus|x4plus|x4anime|x4net|animevideov3|general-x4v3|compact-x2, an UpscalerType or a file name',
    ),
  MODEL_COLORIZE: z
    .enum(COLORIZE_MODELS, { error: `expected ${COLORIZE_MODELS.join(', ')}` })
    .default('modelscope')
    .describe('What colours pictures: modelscope|paper_tiny|artistic|deoldify-artistic|deoldify-stable'),
  MODEL_RESTORE: z
    .enum(RESTORE_MODELS, { error: `expected ${RESTORE_MODELS.join(', ')}` })
    .default('denoise')
    .describe('What a restoration without steps does: denoise|deblur'),
  MODEL_DOWNLOADS: flagText().default(true).describe('Whether missing official weights are downloaded'),
  MODEL_MIRROR: httpUrl().optional().describe('Base URL that is tried first for weights'),
  DOWNLOAD_SEGMENTS: wholeText({ min: 1, max: 64 }).default(8).describe('Parallel ranges of one download'),
};

const inference = {
  DEVICE: z
    .enum(DEVICES, { error: `expected ${DEVICES.join(', ')}` })
    .default('auto')
    .describe('Where networks run: auto|cuda|mps|cpu'),
  FORCE_CPU: flagText().default(false).describe('Never use another device than the CPU, whatever a request asks'),
  PRECISION: z
    .enum(PRECISIONS, { error: `expected ${PRECISIONS.join(', ')}` })
    .default('auto')
    .describe(
      'Numbers that networks run in: auto|fp32|fp16|int8; auto is int8 on CPUs where a calibration passed its gate',
    ),
  TILE: autoOr(wholeText({ min: 0 }))
    .default('auto')
    .describe('Tile side in input pixels; 0 is the whole image'),
  TILE_PAD: autoOr(wholeText({ min: 0 }))
    .default('auto')
    .describe('Input pixels around a tile; auto is the halo the network needs'),
};

const faces = {
  IS_FACE_ENHANCE: flagText().default(false).describe('Whether faces are restored where a request does not say'),
  FACE_RESTORATION_STRENGTH: fractionText().default(0.8).describe('How much of a restored face shows, 0 to 1'),
  MODEL_FACE: z
    .enum(['v0.1', 'gfpgan-1.3', 'gfpgan-1.4', 'restoreformer'], {
      error: 'expected v0.1 (CodeFormer), gfpgan-1.3, gfpgan-1.4, restoreformer',
    })
    .default('v0.1')
    .describe('Face model of `face`: v0.1 (CodeFormer)|gfpgan-1.3|gfpgan-1.4|restoreformer'),
};

const jobs = {
  UPLOAD_FOLDER: z.string().default('temp_uploads').describe('Folder of inputs, emptied as jobs end'),
  PROCESSED_FOLDER: z.string().default('processed_images').describe('Folder of results'),
  WORKERS: wholeText({ min: 1, max: 64 }).default(1).describe('Jobs that run at once, each in a process of its own'),
  MAX_QUEUE: wholeText({ min: 1 }).default(100).describe('Jobs that may wait; more are refused with 429'),
  MAX_QUEUE_PER_CALLER: wholeText({ min: 1 })
    .optional()
    .describe('Jobs of one caller that may wait; none is MAX_QUEUE'),
  JOB_TTL_MINUTES: decimalText({ above: 0, max: 525_600 }).default(60).describe('How long results are kept'),
  JANITOR_INTERVAL_MINUTES: decimalText({ above: 0, max: 1440 })
    .default(30)
    .describe('How often results whose time is over are removed'),
  RESULT_CACHE_MB: wholeText({ min: 0, max: 16_777_216 })
    .default(512)
    .describe('Room for results that may be asked for again, in MB (2^20 bytes); 0 is none'),
  JOB_TIMEOUT_SECONDS: decimalText({ above: 0, max: 2_000_000 }).default(3600).describe('Longest run of one job'),
};

const scaleOut = {
  REDIS_URL: z
    .string()
    .refine((text) => /^rediss?:$/.test(parseUrl(text)?.protocol ?? ''), { error: 'expected a redis or rediss URL' })
    .optional()
    .describe(
      'Redis by which several servers share the jobs, such as redis://:password@host:6379/0; none is one server',
    ),
  STORAGE_URL: z
    .string()
    .regex(/^s3:\/\/[^/?#\s]+(\/[^?#\s]*)?$/, { error: 'expected s3://bucket or s3://bucket/prefix' })
    .optional()
    .describe('Where inputs and results lie for all servers, as s3://bucket/prefix; none is the two folders'),
  AWS_ENDPOINT_URL: httpUrl().optional().describe('S3-compatible store of STORAGE_URL; none is that of AWS'),
  AWS_REGION: z.string().default('us-east-1').describe('Region of the bucket'),
  AWS_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe('Key of the store; without one, what else the AWS SDK finds (a role)'),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe('Its secret part'),
  AWS_SESSION_TOKEN: z.string().optional().describe('Its token, where it is a passing one'),
};

const webhooks = {
  WEBHOOKS_ENABLED: flagText().default(false).describe('Whether jobs may name a webhook_url that is told of their end'),
  WEBHOOK_SECRET: z
    .string()
    .min(16, { error: 'expected at least 16 characters, best whsec_ and base64' })
    .optional()
    .describe('Key that webhooks are signed by: whsec_ and base64, or any text; needed where they are enabled'),
};

const logging = {
  LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(', ')}` })
    .default('info')
    .describe('error|warn|info|debug'),
};

/** Every variable that the service reads, by name. `.env.example` lists the same names and defaults (a test holds them equal). */
export const environment = z.object({
  ...http,
  ...imaging,
  ...catalog,
  ...inference,
  ...faces,
  ...jobs,
  ...scaleOut,
  ...webhooks,
  ...logging,
});

/** What the service runs by; plain data, so that it can be sent to worker processes. Folders are absolute, times in ms. */
export type Config = Readonly<ReturnType<typeof toConfig>>;

/**
 * Reads and checks the environment. With no argument also a `.env` file in the working folder, whose values give way to
 * those that are set. An empty value counts as unset.
 * @throws BadConfigError that names every bad variable at once
 */
export function loadConfig(env?: Readonly<Record<string, string | undefined>>): Config {
  const given = env ?? processEnvironment();
  const set = Object.fromEntries(
    Object.entries(given).flatMap(([name, value = '']) =>
      // Blanks for a key are a mistake, and would open the service to everyone.
      value.trim() !== '' || (name === 'API_KEY' && value !== '') ? [[name, value.trim()]] : [],
    ),
  );
  const parsed = environment.safeParse(set);
  if (parsed.success) {
    const { WEBHOOKS_ENABLED: isEnabled, WEBHOOK_SECRET: secret } = parsed.data;
    if (isEnabled && secret === undefined)
      throw new BadConfigError(['WEBHOOK_SECRET: needed by WEBHOOKS_ENABLED=true']);
    return toConfig(parsed.data);
  }
  throw new BadConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name}: ${message}${SECRET_VARIABLES.includes(name) ? '' : `, got ${JSON.stringify(set[name])}`}`;
    }),
  );
}

/** The same configuration without what a process that decodes strangers' files has no use for. */
export function withoutSecrets(config: Config): Config {
  return { ...config, apiKeyDigests: [], webhookSecret: undefined, redisUrl: undefined, storage: undefined };
}

function processEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile();
  return process.env;
}

function toConfig(env: z.output<typeof environment>) {
  return {
    port: env.PORT,
    host: env.HOST,
    allowedOrigins: env.ALLOWED_ORIGINS as readonly string[],
    allowedHosts: env.ALLOWED_HOSTS as readonly string[],
    /** SHA-256, in hex: the keys themselves are not kept. */
    apiKeyDigests: env.API_KEY.map((key) => createHash('sha256').update(key).digest('hex')) as readonly string[],
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    maxFileSizeBytes: Math.round(env.MAX_FILE_SIZE_MB * 2 ** 20),
    maxInputPixels: env.MAX_INPUT_PIXELS,
    maxOutputPixels: env.MAX_OUTPUT_PIXELS,
    modelsDir: resolve(env.MODELS_DIR),
    modelUpscale: env.MODEL_UPSCALE,
    modelColorize: env.MODEL_COLORIZE,
    modelRestore: env.MODEL_RESTORE,
    modelDownloads: env.MODEL_DOWNLOADS,
    modelMirror: env.MODEL_MIRROR,
    downloadSegments: env.DOWNLOAD_SEGMENTS,
    device: env.DEVICE,
    forceCpu: env.FORCE_CPU,
    precision: env.PRECISION,
    tile: env.TILE,
    tilePad: env.TILE_PAD,
    isFaceEnhance: env.IS_FACE_ENHANCE,
    faceRestorationStrength: env.FACE_RESTORATION_STRENGTH,
    modelFace: env.MODEL_FACE === 'v0.1' ? ('codeformer' as const) : env.MODEL_FACE,
    uploadFolder: resolve(env.UPLOAD_FOLDER),
    processedFolder: resolve(env.PROCESSED_FOLDER),
    workers: env.WORKERS,
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
