import { readFileSync } from 'node:fs';
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');
const webUrl = z.url({ protocol: /^https?$/ });

/** One entry of `config/models.json`. */
export const remoteModelSchema = z.strictObject({
  /** The catalogue name (CONTRACT: "Files in MODELS_DIR"); of what is asked for by its name, the file's stem. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  /** The name under `MODELS_DIR`, whatever the publisher calls it. */
  filename: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.(pth|safetensors)$/),
  url: webUrl,
  /** Tried in turn when `url` fails. */
  mirrors: z.array(webUrl),
  /** Output pixels per input pixel along a side; 1 for what does not enlarge. */
  scale: z.int().min(1).max(16),
  /** In bytes; null where it was not published. */
  size: z.int().min(1).nullable(),
  /** Null where it was not published: then the first download pins it in `models.lock.json`. */
  sha256: sha256.nullable(),
  licence: z.string().min(1),
  /** The family of its network, as the registry of architectures calls it. */
  architecture: z.string().min(1).optional(),
  /** An upscaler that is asked for by this name or its file's: it has no `UpscalerType`. */
  asked_by_name: z.literal(true).optional(),
  /** What the model is good for, in one line. */
  purpose: z.string().min(1),
  /** Where the url, the size and the hash were read. */
  source: z.string().min(1),
});

/** A model that can be downloaded. */
export type RemoteModel = Readonly<z.infer<typeof remoteModelSchema>>;

/** The catalogue file of the package: the same path from `app/` and from `dist/`. */
const CATALOGUE = new URL('../../config/models.json', import.meta.url);

/** Reads and checks the catalogue of downloadable models. Throws a ZodError or a SyntaxError where the file is not one. */
export function readRemoteModels(file: URL | string = CATALOGUE): readonly RemoteModel[] {
  const models = z.array(remoteModelSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
  const names = models.map((model) => model.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new SyntaxError(`The model ${twice} is listed twice in ${String(file)}`);
  return models;
}
