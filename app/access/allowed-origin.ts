/**
 * Whether a page of `origin` may use the service: it was served from the same host, or is listed. No origin at all is a
 * program rather than a page, and allowed. `null` (a file, a sandbox) is a page of unknown origin.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
