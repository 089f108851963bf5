import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { groupsOf } from './ipv6-groups.ts';

/** This machine, private and shared networks, documentation, benchmarks, multicast, reserved (RFC 6890 and its like). */
const PRIVATE_V4 = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE_V4.addSubnet(network, prefix, 'ipv4');
}

const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');

/** Of what is global by its prefix: tunnels that lead anywhere (Teredo, 6to4), documentation. */
const SPECIAL_V6 = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  SPECIAL_V6.addSubnet(network, prefix, 'ipv6');
}

/** Prefixes, as groups of 16 bits, of IPv6 addresses that stand for the IPv4 address in their last 32: mapped, NAT64. */
const V4_PREFIXES = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/**
 * Whether an IP address is none that the internet routes to a stranger: this machine, a private network, a special range, or an
 * IPv6 address that stands for one of these.
 */
export function isPrivateAddress(address: string): boolean {
  const [bare = ''] = address.split('%'); // the zone says which interface, not which network
  if (isIPv4(bare)) return PRIVATE_V4.check(bare, 'ipv4');
  if (!isIPv6(bare)) return true;
  const groups = groupsOf(bare);
  if (V4_PREFIXES.some((prefix) => prefix.every((group, index) => groups[index] === group))) {
    return PRIVATE_V4.check(lastV4(groups), 'ipv4');
  }
  return !GLOBAL_V6.check(bare, 'ipv6') || SPECIAL_V6.check(bare, 'ipv6') || isIsatap(groups);
}

/** The address of a host name or of a URL's host, an IP address included; undefined where the name is not known. */
export async function addressOf(hostname: string): Promise<string | undefined> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host)) return host;
  try {
    return (await lookup(host)).address;
  } catch {
    return undefined;
  }
}

function lastV4(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** An IPv4 address behind `0:5efe` in the second half (RFC 5214): a tunnel into its network. */
function isIsatap(groups: readonly number[]): boolean {
  return ((groups[4] ?? 0) & 0xfdff) === 0 && groups[5] === 0x5efe;
}
