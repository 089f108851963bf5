/** The time of the processor that work takes of this process, in seconds: what others do with the machine does not count. */
export function cpuSecondsOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
