import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readdir, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { syncFile, syncFolder } from '../files/durable-file.ts';
import { errorCode } from '../files/error-code.ts';
import { makeUsableFolder } from '../files/usable-folder.ts';
import {
  InspectionError,
  ModelExistsError,
  ModelRefusedError,
  ModelsFolderError,
  UnknownModelError,
} from './errors.ts';
import { inspectPart } from './inspection/inspect-part.ts';
import type { Inspect } from './inspection/remembered-inspections.ts';
import { isOnnxName } from '../exported/picture-model.ts';
import { EXTENSIONS } from './model-files.ts';

/** The largest known checkpoint has half of it. */
export const MAX_MODEL_BYTES = 2 ** 31;

const PART = /^\.sent-[0-9a-f-]{36}\.part$/;
/** A part that nobody has written to for so long was left by a server that was killed. */
const STALE_MS = 3_600_000;
/** No path, nothing hidden, nothing that a shell or another system would take for something else. */
const SAFE_NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._+()-]{0,119}$/u;
/** Files of these systems' own, whatever their ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
/** File systems that know no second name for a file. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** What is looked at before a file is taken. */
export interface IntakeOptions {
  /** `MODELS_DIR`. */
  readonly directory: string;
  readonly inspect: Inspect;
  /** Resolves where something is known by a name already; rejects with UnknownModelError where nothing is. */
  readonly resolve: (name: string) => Promise<unknown>;
}

/** Takes checkpoints that callers send into the folder of models: what is looked at and found good, and nothing over anything. */
export class ModelIntake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * A file in the folder to write to, which counts as no model; the writer removes it.
   * @throws ModelsFolderError
   */
  async part(): Promise<string> {
    const { directory } = this.#options;
    await makeUsableFolder(directory).catch((error: unknown) => {
      throw new ModelsFolderError(error);
    });
    for (const name of (await readdir(directory)).filter((one) => PART.test(one))) {
      const path = join(directory, name);
      const { mtimeMs = Infinity } = (await stat(path).catch(() => undefined)) ?? {};
      if (mtimeMs < Date.now() - STALE_MS) await rm(path, { force: true });
    }
    return join(directory, `.sent-${randomUUID()}.part`);
  }

  /**
   * Gives a part the name under which it was sent.
   * @returns that name
   * @throws ModelRefusedError where the name is not safe or the file is no network that is run; ModelExistsError
   */
  async take(part: string, name: string): Promise<string> {
    const filename = name.normalize();
    assertSafe(filename);
    await this.#assertNew(filename);
    await this.#assertGood(part, filename);
    await syncFile(part);
    await this.#place(part, filename);
    await syncFolder(this.#options.directory);
    return filename;
  }

  /** Names of official models too: what lies under one of them would count as that model. */
  async #assertNew(filename: string): Promise<void> {
    try {
      await this.#options.resolve(filename);
    } catch (error) {
      if (error instanceof UnknownModelError) return;
      throw error;
    }
    throw new ModelExistsError(filename);
  }

  async #assertGood(part: string, filename: string): Promise<void> {
    try {
      await inspectPart(this.#options.inspect, part, filename);
    } catch (error) {
      if (!(error instanceof InspectionError)) throw error;
      throw new ModelRefusedError(filename, error.message, { cause: error });
    }
  }

  /** A second name and not another one: that cannot take the place of a file. */
  async #place(part: string, filename: string): Promise<void> {
    const target = join(this.#options.directory, filename);
    try {
      await link(part, target).catch(async (error: unknown) => {
        if (!NO_LINKS.has(errorCode(error))) throw error;
        await copyFile(part, target, constants.COPYFILE_EXCL);
      });
    } catch (error) {
      throw errorCode(error) === 'EEXIST' ? new ModelExistsError(filename) : error;
    }
  }
}

function assertSafe(filename: string): void {
  const isSafe = SAFE_NAME.test(filename) && !filename.includes('..') && !RESERVED.test(filename);
  if (!isSafe) {
    const rule =
      'its name must be letters, digits, spaces and . _ + ( ) -, at most 120 of them, and begin with one of the first two';
    throw new ModelRefusedError(filename, rule);
  }
  if (isOnnxName(filename))
    throw new ModelRefusedError(filename, 'an ONNX file is a program: who runs this service puts it into MODELS_DIR');
  if (!EXTENSIONS.includes(extname(filename).toLowerCase()))
    throw new ModelRefusedError(filename, `models are files of ${EXTENSIONS.join(', ')}`);
}
