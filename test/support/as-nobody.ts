/** A user who owns nothing. */
const NOBODY = 65534;

/** Runs `work` without the rights of root, who may read everything; anybody else runs it as he is. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const user = process.geteuid?.();
  if (user !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(user);
  }
}
