import { isIP } from 'node:net';
import { isPrivateAddress } from './private-address.ts';

const PROTOCOLS = ['http:', 'https:'];

/**
 * What is wrong with a stranger's URL, as the second half of "name: ...", or undefined: http or https on its own port, without
 * credentials, and no private address. What a name's addresses are is seen when it is connected to (`guardedLookup`).
 */
export function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://example.org/hook';
  const { protocol, port, hostname, username, password } = new URL(text);
  if (!PROTOCOLS.includes(protocol)) return 'must be an http or https URL';
  if (port !== '') return 'must have the port 80 for http, 443 for https';
  if (username !== '' || password !== '') return 'must not have a user name or password in it';
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = isIP(host) ? isPrivateAddress(host) : /(^|\.)localhost\.?$/.test(host);
  return isLocal ? 'must not lead to this machine or into a private network' : undefined;
}
