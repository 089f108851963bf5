import { HiresFixClient } from '../../client/hires-fix-client.ts';
import { UsageError } from '../errors.ts';

/** A client of the service of `--server`. @throws UsageError where `url` is not one that a service can have */
export function remoteClient(url: string): HiresFixClient {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
    throw new UsageError(`--server: expected a URL such as http://127.0.0.1:8001, got ${JSON.stringify(url)}`);
  }
  if (base.username !== '' || base.password !== '') {
    throw new UsageError('--server: expected a URL without a user or password; the key goes into HIRESFIX_API_KEY');
  }
  // The caller's own key is not a setting of the service that a config describes, so it is not part of one.
  return new HiresFixClient(base, { apiKey: process.env['HIRESFIX_API_KEY'] });
}
