/** A profile that every writer takes, or why there is none. */
export type MendedProfile =
  | { readonly profile: Uint8Array; readonly mended: string | undefined }
  | { readonly profile: undefined; readonly fault: string };

const HEADER_BYTES = 128;
const TABLE_ENTRY_BYTES = 12;
const VERSION_AT = 8;
/** The first version whose profiles are a multiple of 4 bytes long. */
const PADDED_VERSION = 4;
const SIGNATURE_AT = 36;
const MAX_TAGS = 1000;
/** Classes of profiles that say what the samples of a picture mean: display, input, output, colour space. */
const PICTURE_CLASSES: ReadonlySet<string> = new Set(['mntr', 'scnr', 'prtr', 'spac']);
/** Tags of which one set has to be there, by the colour space. */
const NEEDED_TAGS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'RGB ': [['A2B0'], ['A2B1'], ['rXYZ', 'gXYZ', 'bXYZ', 'rTRC', 'gTRC', 'bTRC']],
  GRAY: [['A2B0'], ['A2B1'], ['kTRC']],
};

/**
 * Checks an ICC profile before any work, as libpng would after it, and sets right what writers often get wrong: bytes behind
 * the end that it declares, a declared length beyond its bytes, or one that is no multiple of 4 in version 4.
 */
export function mendProfile(bytes: Uint8Array): MendedProfile {
  const fault = headerFault(bytes);
  if (fault !== undefined) return { profile: undefined, fault };
  const profile = Buffer.from(bytes);
  const declared = profile.readUInt32BE(0);
  const tags = tagsOf(profile);
  if (!tags) return { profile: undefined, fault: 'it is cut or damaged' };
  const needed = NEEDED_TAGS[profile.toString('latin1', 16, 20)] ?? [[]];
  if (!needed.some((names) => names.every((name) => tags.names.has(name)))) {
    return { profile: undefined, fault: 'it lacks the tags that say what samples mean' };
  }
  const end = Math.min(Math.max(declared, tags.end), bytes.length);
  const length = (profile[VERSION_AT] ?? 0) < PADDED_VERSION ? end : end + (-end & 3);
  if (length === bytes.length && declared === length) return { profile: Uint8Array.from(bytes), mended: undefined };
  const mended = Buffer.alloc(length);
  profile.copy(mended, 0, 0, end);
  mended.writeUInt32BE(length, 0);
  const said = `the ICC profile declares ${declared} bytes and has ${bytes.length}: it is kept with ${length}`;
  return { profile: Uint8Array.from(mended), mended: said };
}

function headerFault(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString('latin1');
  if (bytes.length < HEADER_BYTES + 4) return 'it ends within its header';
  if (text.slice(SIGNATURE_AT, SIGNATURE_AT + 4) !== 'acsp') return 'it lacks the signature of a profile';
  if (!PICTURE_CLASSES.has(text.slice(12, 16))) return `profiles of the class ${text.slice(12, 16)} are for no picture`;
  return ['XYZ ', 'Lab '].includes(text.slice(20, 24)) ? undefined : 'it relates to neither XYZ nor Lab';
}

/** The names of the tags and where the last of them ends; undefined where one is not within the profile. */
function tagsOf(profile: Buffer): { readonly names: ReadonlySet<string>; readonly end: number } | undefined {
  const count = profile.readUInt32BE(HEADER_BYTES);
  const tableEnd = HEADER_BYTES + 4 + count * TABLE_ENTRY_BYTES;
  if (count > MAX_TAGS || tableEnd > profile.length) return undefined;
  const names = new Set<string>();
  let end = tableEnd;
  for (let at = HEADER_BYTES + 4; at < tableEnd; at += TABLE_ENTRY_BYTES) {
    const tagEnd = profile.readUInt32BE(at + 4) + profile.readUInt32BE(at + 8);
    if (tagEnd > profile.length) return undefined;
    names.add(profile.toString('latin1', at, at + 4));
    end = Math.max(end, tagEnd);
  }
  return { names, end };
}
