const KEY_BYTES = 16;

/** 32 random hexadecimal digits. `crypto.randomUUID` is missing in browsers where the page came by plain HTTP from another host. */
export function madeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
