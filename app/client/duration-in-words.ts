/**
 * How long something takes, for people: `3 s`, `2 min`, `1 h 10 min`.
 * @param seconds at least 0; what is left of unfinished work is a second at least
 */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
