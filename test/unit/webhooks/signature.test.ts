import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { signatureHeaders } from '../../../app/webhooks/signature.ts';

describe('signatureHeaders', () => {
  it('signs the published example of Standard Webhooks as published', () => {
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
    expect(signatureHeaders(message, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('takes any other text for the key itself', () => {
    const { 'webhook-signature': signature } = signatureHeaders(
      { id: 'a', timestamp: 1, body: '{}' },
      'plain secret key',
    );
    expect(signature).toBe(`v1,${createHmac('sha256', 'plain secret key').update('a.1.{}').digest('base64')}`);
  });
});
