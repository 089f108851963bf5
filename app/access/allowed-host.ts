import { isIPv4 } from 'node:net';

/** Names that lead to this machine, from wherever they are looked up: they cannot be a stranger's (RFC 6761, 6.3). */
export function isLoopbackName(name: string): boolean {
  const plain = name.toLowerCase().replace(/\.$/, '');
  if (plain === 'localhost' || plain.endsWith('.localhost') || plain === '[::1]' || plain === '::1') return true;
  return isIPv4(plain) && plain.startsWith('127.');
}

/**
 * Whether the service may answer to this `Host`. A page of a stranger can give its own name the address of this machine (DNS
 * rebinding), and then counts as one of ours; so while the service listens on loopback only, or where `allowed` names its hosts, no
 * other name is answered. Ports do not matter. A request with no `Host` at all (HTTP/1.0) is a program's.
 */
export function isAllowedHost(
  header: string | undefined,
  { host, allowedHosts }: { readonly host: string; readonly allowedHosts: readonly string[] },
): boolean {
  if (header === undefined) return true;
  const isBound = isLoopbackName(host) || allowedHosts.length > 0;
  if (!isBound) return true;
  const name = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(header.trim())?.[1]?.toLowerCase() ?? '';
  return isLoopbackName(name) || allowedHosts.includes(name.replace(/\.$/, ''));
}
