import { z } from 'zod';
import { COLORIZE_MODELS } from './restore-options.ts';
import { DEVICES, PRECISIONS } from './upscale-options.ts';
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
} from './values.ts';

const RESTORE_MODELS = ['denoise', 'deblur'] as const;
const DEVICE = new RegExp(`^(${DEVICES.join('|')}|cuda:\\d{1,2})$`);
const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

const http = {
  PORT: wholeText({ min: 0, max: 65535 }).default(8001).describe('Port of REST and socket; 0 takes a free one'),
  DASHBOARD_PORT: wholeText({ min: 0, max: 65535 })
    .optional()
    .describe('A second port with the same service, for the dashboard; none: only PORT'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 is every interface'),
  ALLOWED_ORIGINS: origins()
    .default([])
    .describe('Web origins that may call the service, comma-separated; its own is always allowed'),
  ALLOWED_HOSTS: hosts()
    .default([])
    .describe(
      'Host names that callers use for the service, comma-separated; none: only loopback names while HOST is loopback',
    ),
  API_KEY: keys()
    .default([])
    .describe(
      'API keys, comma-separated, of at least 4 characters each: callers need one of them; none: everybody may call',
    ),
  ALLOW_MODEL_UPLOAD: flagText()
    .default(false)
    .describe('Whether callers may add checkpoints to MODELS_DIR (POST /models, the dashboard)'),
  ALLOW_URL_INPUT: flagText()
    .default(false)
    .describe('Whether the A1111 routes accept pictures by URL, which the service then downloads'),
  RATE_LIMIT_PER_MINUTE: wholeText({ min: 0, max: 1_000_000 })
    .default(0)
    .describe('Requests that each key may make in a minute; 0 is no limit'),
  MAX_FILE_SIZE_MB: decimalText({ above: 0, max: 4096 })
    .default(10)
    .describe('Largest image file, without the encoding of its transport, in MB (2^20 bytes)'),
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
  MODELS_DIR: z
    .string()
    .optional()
    .describe("Folder of the weights; none: models beside package.json, or in the user's data folder where installed"),
  MODEL_UPSCALE: z
    .string()
    .max(255)
    .default('x4plus')
    .describe(
      'What AUTO uses above 2x: x2plus|x4plus|x4anime|x4net|animevideov3|general-x4v3|compact-x2, an UpscalerType or a file name',
    ),
  MODEL_COLORIZE: z
    .enum(COLORIZE_MODELS, { error: `expected ${COLORIZE_MODELS.join(', ')}` })
    .default('modelscope')
    .describe('Network that colorizes: modelscope|paper_tiny|artistic|deoldify-artistic|deoldify-stable'),
  MODEL_RESTORE: z
    .enum(RESTORE_MODELS, { error: `expected ${RESTORE_MODELS.join(', ')}` })
    .default('denoise')
    .describe('What a restoration without steps does: denoise|deblur'),
  MODEL_DOWNLOADS: flagText().default(true).describe('Whether missing official weights are downloaded'),
  MODEL_MIRROR: httpUrl().optional().describe('Base URL to try first when weights are downloaded'),
  DOWNLOAD_SEGMENTS: wholeText({ min: 1, max: 64 }).default(8).describe('Parallel ranges of one download'),
};

const inference = {
  DEVICE: z
    .string()
    .regex(DEVICE, { error: `expected ${DEVICES.join(', ')}, or cuda:N for a card` })
    .default('auto')
    .describe('Where networks run: auto|cuda|cuda:N|mps|cpu; N counts cards from 0'),
  GPU_MEMORY_MB: wholeText({ min: 1 })
    .optional()
    .describe(
      'GPU memory that each worker may take, in MB (2^20 bytes), by which tiles are cut; none: what nvidia-smi says is free',
    ),
  FORCE_CPU: flagText().default(false).describe('Never use another device than the CPU, whatever a request asks'),
  PRECISION: z
    .enum(PRECISIONS, { error: `expected ${PRECISIONS.join(', ')}` })
    .default('auto')
    .describe(
      'Number format that networks run in: auto|fp32|fp16|int8; auto is fp16 on CUDA for networks that tolerate it, and int8 on CPUs where a calibration passed its gate',
    ),
  TILE: autoOr(wholeText({ min: 0 }))
    .default('auto')
    .describe('Tile side in input pixels; 0 is the whole image'),
  TILE_PAD: autoOr(wholeText({ min: 0 }))
    .default('auto')
    .describe('Input pixels around a tile; auto is the halo the network needs'),
  MODEL_KEEP_ALIVE_SECONDS: wholeText({ min: 0, max: 2_000_000 })
    .default(0)
    .describe(
      'How long an upscaler, or the network of a restoration with one step, stays loaded for further jobs; 0: each job loads it',
    ),
};

const faces = {
  IS_FACE_ENHANCE: flagText().default(false).describe('Whether faces are restored if a request does not say'),
  FACE_RESTORATION_STRENGTH: fractionText().default(0.8).describe('How much of a restored face shows, 0 to 1'),
  MODEL_FACE: z
    .enum(['v0.1', 'codeformer', 'gfpgan-1.3', 'gfpgan-1.4', 'restoreformer'], {
      error: 'expected v0.1 or codeformer, gfpgan-1.3, gfpgan-1.4, restoreformer',
    })
    .default('v0.1')
    .describe('Face model of `face`: v0.1 (CodeFormer)|gfpgan-1.3|gfpgan-1.4|restoreformer'),
};

const jobs = {
  UPLOAD_FOLDER: z.string().default('temp_uploads').describe('Folder of inputs, emptied as jobs end'),
  PROCESSED_FOLDER: z.string().default('processed_images').describe('Folder of results'),
  WORKERS: wholeText({ min: 0, max: 64 })
    .default(1)
    .describe('Jobs that run at once, each in a process of its own; 0 with REDIS_URL accepts jobs for other servers'),
  MAX_QUEUE: wholeText({ min: 1 }).default(100).describe('Jobs that may wait; more are refused with 429'),
  MAX_QUEUE_PER_CALLER: wholeText({ min: 1 })
    .optional()
    .describe('Jobs of one caller that may wait; none: as many as MAX_QUEUE'),
  JOB_TTL_MINUTES: decimalText({ above: 0, max: 525_600 }).default(60).describe('How long results are kept'),
  JANITOR_INTERVAL_MINUTES: decimalText({ above: 0, max: 1440 })
    .default(30)
    .describe('How often expired results are removed'),
  RESULT_CACHE_MB: wholeText({ min: 0, max: 16_777_216 })
    .default(512)
    .describe('Size of the result cache, in MB (2^20 bytes); 0 turns it off'),
  JOB_TIMEOUT_SECONDS: decimalText({ above: 0, max: 2_000_000 })
    .default(3600)
    .describe('Longest time that one job may run'),
};

const scaleOut = {
  REDIS_URL: z
    .string()
    .refine((text) => /^rediss?:$/.test(parseUrl(text)?.protocol ?? ''), { error: 'expected a redis or rediss URL' })
    .optional()
    .describe(
      'Redis through which several servers share jobs, such as redis://:password@host:6379/0; none: a single server',
    ),
  STORAGE_URL: z
    .string()
    .regex(/^s3:\/\/[^/?#\s]+(\/[^?#\s]*)?$/, { error: 'expected s3://bucket or s3://bucket/prefix' })
    .optional()
    .describe('Where all servers keep inputs and results, as s3://bucket/prefix; none: in the two folders'),
  AWS_ENDPOINT_URL: httpUrl().optional().describe('S3-compatible store of STORAGE_URL; none: AWS'),
  AWS_REGION: z.string().default('us-east-1').describe('Region of the bucket'),
  AWS_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe('Access key of the store; none: whatever else the AWS SDK finds, such as a role'),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe('Secret of that access key'),
  AWS_SESSION_TOKEN: z.string().optional().describe('Session token, if the access key is temporary'),
};

const webhooks = {
  WEBHOOKS_ENABLED: flagText()
    .default(false)
    .describe('Whether jobs may name a webhook_url, which is notified when they end'),
  WEBHOOK_SECRET: z
    .string()
    .min(16, { error: 'expected at least 16 characters, best whsec_ and base64' })
    .optional()
    .describe('Key that signs webhooks: whsec_ and base64, or any text; required if they are enabled'),
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

/** Variables of a server alone: what works on pictures without one reads none of them. */
export const SERVER_VARIABLES: ReadonlySet<string> = new Set([
  ...Object.keys({ ...http, ...scaleOut, ...webhooks, ...logging }),
  ...Object.keys(jobs).filter((name) => name !== 'JOB_TIMEOUT_SECONDS'),
]);
