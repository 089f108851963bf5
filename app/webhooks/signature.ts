import { createHmac } from 'node:crypto';

/** A message as it is sent: what its receiver has to know it by, and the exact bytes of its body. */
export interface WebhookMessage {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The headers of a signed message, as https://www.standardwebhooks.com has them: HMAC-SHA256 of `id.timestamp.body`.
 * @param secret `whsec_` and base64; anything else is the key as it is
 */
export function signatureHeaders(
  { id, timestamp, body }: WebhookMessage,
  secret: string,
): Readonly<Record<string, string>> {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
