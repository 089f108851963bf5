import type { RedisOptions } from 'ioredis';
import { Redis } from 'ioredis';
import type { Logger } from '../../logger.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Script } from './job-scripts.ts';

/** A request waits no longer than this for Redis. */
const ANSWER_TIMEOUT_MS = 2000;
const CONNECT_TIMEOUT_MS = 5000;
const MAX_PAUSE_MS = 2000;
/** Words by which Redis says that a script is not known to it. */
const UNKNOWN_SCRIPT = 'NOSCRIPT';

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`, with a password if need be. */
  readonly url: string;
  /** Every key begins with it. Its part in braces keeps all keys in one slot. */
  readonly prefix: string;
  readonly logger: Logger;
}

/**
 * The connections to Redis: one for commands, that fails at once while Redis is away, and one that listens. Both come back by
 * themselves. Errors that leave here have no arguments of commands with them: those may be secrets.
 */
export class RedisLink {
  readonly commands: Redis;
  readonly #listener: Redis;
  readonly #others: Redis[] = [];
  readonly #url: string;
  readonly #prefix: string;
  readonly #logger: Logger;
  #isAway = false;

  constructor({ url, prefix, logger }: RedisLinkOptions) {
    this.#url = url;
    this.#prefix = prefix;
    this.#logger = logger;
    this.commands = new Redis(url, IMPATIENT);
    this.#listener = new Redis(url, { ...SHARED, maxRetriesPerRequest: null });
    for (const connection of [this.commands, this.#listener]) this.#watch(connection);
    this.commands.on('ready', () => this.#back());
  }

  get isReady(): boolean {
    return this.commands.status === 'ready';
  }

  /** Another connection, that waits for as long as Redis is away. */
  waiting(): Redis {
    const connection = this.#watch(new Redis(this.#url, { ...SHARED, lazyConnect: false, maxRetriesPerRequest: null }));
    this.#others.push(connection);
    return connection;
  }

  /** Resolves when Redis can be asked, which may take as long as it is away. Throws the signal's reason. */
  async connect(signal: AbortSignal): Promise<void> {
    await Promise.all([this.commands, this.#listener].map((connection) => connected(connection, signal)));
  }

  /** Calls `listen` with what is published on the prefix's `events`, and `onMissed` when some may have been missed. */
  async listen(listen: (message: string) => void, onMissed: () => void): Promise<void> {
    this.#listener.on('message', (_channel, message) => listen(message));
    await this.#listener.subscribe(`${this.#prefix}events`).catch((error: unknown) => {
      throw unavailable(textOf(error), false);
    });
    this.#listener.on('ready', onMissed);
  }

  /** @throws StoreUnavailableError; if that is uncertain, the script may have run */
  async run(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    if (!this.isReady) throw unavailable('there is no connection', false);
    try {
      return await this.#evaluate(script, args);
    } catch (error) {
      throw unavailable(textOf(error), true);
    }
  }

  /** Says in the log which settings of Redis would lose jobs. */
  async warnOfSettings(): Promise<void> {
    const info = await this.commands.info().catch(() => ''); // not everybody may ask
    const settingOf = (name: string): string | undefined => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1];
    const policy = settingOf('maxmemory_policy') ?? 'noeviction';
    if (policy !== 'noeviction') {
      this.#logger.warn('Redis may throw jobs away: set maxmemory-policy to noeviction', { maxmemory_policy: policy });
    }
    if (settingOf('aof_enabled') === '0') {
      this.#logger.warn('Redis forgets jobs when it is restarted: set appendonly to yes', { appendonly: 'no' });
    }
  }

  close(): void {
    for (const connection of [this.commands, this.#listener, ...this.#others]) connection.disconnect();
  }

  /** Says once that Redis is away: connections are tried many times. */
  #watch(connection: Redis): Redis {
    return connection.on('error', (error: Error) => {
      if (!this.#isAway) this.#logger.error('Redis cannot be reached; trying again', { reason: textOf(error) });
      this.#isAway = true;
    });
  }

  #back(): void {
    if (this.#isAway) this.#logger.info('Redis can be reached again');
    this.#isAway = false;
  }

  async #evaluate({ sha1, text }: Script, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.commands.evalsha(sha1, 1, this.#prefix, ...args);
    } catch (error) {
      if (!textOf(error).startsWith(UNKNOWN_SCRIPT)) throw error;
      return this.commands.eval(text, 1, this.#prefix, ...args);
    }
  }
}

const SHARED = {
  protocol: 2, // what every Redis and every proxy in front of one speaks; nothing of 3 is of use here
  lazyConnect: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: (tries: number) => Math.min(50 * 2 ** Math.min(tries, 10), MAX_PAUSE_MS),
} satisfies RedisOptions;
/** For requests that wait: commands fail at once while Redis is away. */
const IMPATIENT = {
  ...SHARED,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: ANSWER_TIMEOUT_MS,
} satisfies RedisOptions;

/**
 * A connection for what is no job, whose commands fail at once while Redis is away; it says nothing of that, and does not keep the
 * process alive.
 */
export function sideConnection(url: string): Redis {
  const connection = new Redis(url, { ...IMPATIENT, lazyConnect: false });
  connection.on('error', () => undefined); // the link that the jobs have tells of it
  connection.on('connect', () => connection.stream.unref());
  return connection;
}

function connected(connection: Redis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
    connection.once('ready', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    if (signal.aborted) abort();
    else connection.connect().catch(() => undefined); // it is told by `error`, and tried again
  });
}

function unavailable(reason: string, isUncertain: boolean): StoreUnavailableError {
  return new StoreUnavailableError(new Error(reason), { reason: 'Redis cannot be asked', isUncertain });
}

/** An error's own words: what else it carries may be a password. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
