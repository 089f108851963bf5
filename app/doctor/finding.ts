/** Something that is not as it should be, and what its reader can do about it. A line each. */
export interface Problem {
  /** Whether something that a user asks for does not work; else it is only worth knowing. */
  readonly is_error: boolean;
  readonly problem: string;
  readonly remedy: string;
}

/** What one look has found. */
export interface Finding<T> {
  readonly found: T;
  readonly problems: readonly Problem[];
}
