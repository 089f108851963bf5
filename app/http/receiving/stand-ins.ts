/** In a text that nobody reads: what follows it makes it longer than any value that a field takes. */
const START = 'long text';
const STAND_IN = new RegExp(`${START} [0-9a-f]{32}-\\d+\\.*`, 'g');
/** Beyond every limit of a field that is no picture. */
const MIN_LENGTH = 4096;

/**
 * What stands in a body for a text that went into a file, so that no field but that of a picture takes it.
 * @param nonce 32 hex digits that no caller can guess
 */
export function standInOf(nonce: string, index: number): string {
  return `${START} ${nonce}-${index}`.padEnd(MIN_LENGTH, '.');
}

/** A message that quotes such a value, in words of the caller's. */
export function withoutStandIns(message: string): string {
  return message.replace(STAND_IN, 'a long text');
}
