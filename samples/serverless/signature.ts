import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Whether one of the signatures in an event's `X-ASRS-Signature` was made with this access key: the
 * edge signs the connection id with each key that it has, so that keys can be changed one at a time.
 */
export function isSigned(connectionId: string, signatures: string, accessKey: string): boolean {
  const digest = createHmac('sha256', accessKey).update(connectionId).digest('hex');
  const expected = Buffer.from(`sha256=${digest}`);
  return signatures.split(',').some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
