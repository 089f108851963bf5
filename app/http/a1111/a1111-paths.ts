/** Where the routes of the A1111 WebUI lie. Errors are told in its words there, and a key is asked for as a password. */
export const A1111_PATHS = ['/sdapi', '/internal'] as const;

/** Whether a path is one of those. */
export function isA1111Path(path: string): boolean {
  return A1111_PATHS.some((one) => path === one || path.startsWith(`${one}/`));
}
