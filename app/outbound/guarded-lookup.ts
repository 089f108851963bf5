import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { PrivateAddressError } from './errors.ts';
import { isPrivateAddress } from './private-address.ts';

type Resolve = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface LookupGuard {
  readonly isPrivate?: (address: string) => boolean;
  readonly resolve?: Resolve;
}

/**
 * A `lookup` for sockets that fails with `PrivateAddressError` for a name with a private address among its own. The socket
 * connects to what was looked at here, so that a name cannot mean something else a moment later.
 */
export function guardedLookup({ isPrivate = isPrivateAddress, resolve = lookup }: LookupGuard = {}): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const refusal = error ?? problemOf(hostname, addresses, isPrivate);
      if (refusal) callback(refusal, '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

function problemOf(
  hostname: string,
  addresses: readonly LookupAddress[],
  isPrivate: (address: string) => boolean,
): Error | undefined {
  if (addresses.length === 0) return new Error(`${hostname} has no address`);
  return addresses.some(({ address }) => isPrivate(address)) ? new PrivateAddressError(hostname) : undefined;
}
