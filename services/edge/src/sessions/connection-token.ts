import { createHmac, timingSafeEqual } from 'node:crypto';
import { queryValue } from '@trunkline/protocol';
import type { AccessKey, AccessKeys } from '@trunkline/tokens';
import type { HttpRequest } from '../ports/listener.ts';

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

/**
 * The connection token, or the id of negotiate version 0, that a request brings: its `id`. An empty
 * one is none, as in ASP.NET.
 */
export function requestedConnection(request: HttpRequest): string | undefined {
  return queryValue(request.query, 'id') || undefined;
}

export function mintConnectionToken(grant: ConnectionGrant, key: AccessKey): string {
  return `${grant.id}.${grant.connectBy.toString(36)}.${sign(grant, key)}`;
}

/**
 * What a token for this hub and user says; undefined for any other. It must be what one of the keys
 * mints, to the letter: a time can be written in many ways, and only one of them is the token.
 */
export function verifyConnectionToken(
  token: string,
  hub: string,
  userId: string | undefined,
  keys: AccessKeys,
): ConnectionGrant | undefined {
  const [id = '', connectBy = ''] = token.split('.', 2);
  const grant = { id, hub, userId, connectBy: Number.parseInt(connectBy, 36) };
  const given = Buffer.from(token);
  const good = keys.all.some((key) => {
    const wanted = Buffer.from(mintConnectionToken(grant, key));
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
  return good ? grant : undefined;
}

function sign({ id, hub, userId, connectBy }: ConnectionGrant, key: AccessKey): string {
  const text = JSON.stringify(['connection token', id, hub, userId ?? null, connectBy]);
  const digest = createHmac('sha256', key.secret).update(text).digest('base64url');
  return digest.slice(0, SIGNATURE_LENGTH);
}
