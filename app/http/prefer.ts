/** What `Prefer` (RFC 7240) asks of a route that can answer now or later. */
export interface Preference {
  /** Longest time to hold the request, in ms; 0 answers at once, undefined as long as the job takes. */
  readonly waitMs: number | undefined;
  /** The value of `Preference-Applied`; empty where nothing was asked. */
  readonly applied: string;
}

const MAX_WAIT_SECONDS = 3600;

/** Reads `respond-async` and `wait=N` (seconds); with both, the answer comes by then at the latest. Other preferences are ignored. */
export function parsePrefer(header: string | undefined): Preference {
  const tokens = (header ?? '')
    .toLowerCase()
    .split(/[,;]/)
    .map((token) => token.trim());
  const wait = tokens
    .map((token) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(token)?.[1])
    .find((digits) => digits !== undefined);
  if (wait !== undefined) {
    const seconds = Math.min(Number(wait), MAX_WAIT_SECONDS);
    return { waitMs: seconds * 1000, applied: `wait=${seconds}` };
  }
  return tokens.includes('respond-async')
    ? { waitMs: 0, applied: 'respond-async' }
    : { waitMs: undefined, applied: '' };
}
