import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AccessKey, AccessKeys } from '@trunkline/tokens';

/**
 * What a negotiate hands out and a connect brings back: `<id>.<connect by>.<signature>`. The
 * signature covers the hub and the user too, so that the token is worth nothing to anyone else, and
 * any edge with the same keys can check it.
 */
export interface ConnectionGrant {
  readonly id: string;
  readonly hub: string;
  readonly userId: string | undefined;
  /** Unix seconds. */
  readonly connectBy: number;
}

/** Characters of base64url: 128 bits. */
const SIGNATURE_LENGTH = 22;

export function mintConnectionToken(grant: ConnectionGrant, key: AccessKey): string {
  return `${grant.id}.${grant.connectBy.toString(36)}.${sign(grant, key)}`;
}

/** The id and time of a token that is signed for this hub and user; undefined for any other. */
export function verifyConnectionToken(
  token: string,
  hub: string,
  userId: string | undefined,
  keys: AccessKeys,
): ConnectionGrant | undefined {
  const [id = '', connectBy = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || signature.length !== SIGNATURE_LENGTH) return undefined;
  const grant = { id, hub, userId, connectBy: Number.parseInt(connectBy, 36) };
  const given = Buffer.from(signature);
  const good = keys.all.some((key) => {
    const wanted = Buffer.from(sign(grant, key));
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
  return good ? grant : undefined;
}

function sign({ id, hub, userId, connectBy }: ConnectionGrant, key: AccessKey): string {
  const text = JSON.stringify(['connection token', id, hub, userId ?? null, connectBy]);
  const digest = createHmac('sha256', key.secret).update(text).digest('base64url');
  return digest.slice(0, SIGNATURE_LENGTH);
}
