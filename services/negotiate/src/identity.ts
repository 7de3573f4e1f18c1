import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { queryValue, queryValues } from '@trunkline/protocol';
import { bearerToken, longClaimType, NAME_IDENTIFIER, shortClaimType } from '@trunkline/tokens';
import type { Claims, ClaimValue } from '@trunkline/tokens';
import type { Admission } from './options.ts';

/** Who a caller is. */
export interface Identity {
  readonly userId: string | undefined;
  readonly claims: Claims;
}

export interface Credentials {
  readonly authorization: string | undefined;
  /** As it came, without its `?`. */
  readonly query: string;
}

/** Undefined for a caller who may not come in. */
export type Identify = (credentials: Credentials) => Identity | undefined;

/** Members that describe the caller's own token, not the caller. */
const TOKEN_MEMBERS = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']);

/**
 * With `--dev` anyone, as `?user=` says. Otherwise the bearer of a token signed with the secret, in
 * the `Authorization` header or else in `access_token`, which must have an `exp`, since one that lasts
 * for ever cannot be taken back: `sub`, else `nameid`, is the user id, and every claim about the user
 * is passed on.
 */
export function identifyBy(admission: Admission): Identify {
  if (admission.dev) {
    return ({ query }) => ({ userId: queryValue(query, 'user'), claims: {} });
  }
  const key = createSecretKey(admission.secret, 'utf8');
  const options: jwt.VerifyOptions & { complete?: false } = {
    algorithms: ['HS256', 'HS384', 'HS512'],
  };
  if (admission.audience !== undefined) options.audience = admission.audience;
  if (admission.issuer !== undefined) options.issuer = admission.issuer;
  return ({ authorization, query }) => {
    const token = bearerToken(authorization) ?? queryValues(query, 'access_token').at(-1);
    if (token === undefined) return undefined;
    try {
      const payload = jwt.verify(token, key, options);
      if (typeof payload === 'string' || payload.exp === undefined) return undefined;
      return identityOf(payload);
    } catch {
      return undefined;
    }
  };
}

function identityOf(members: Readonly<Record<string, unknown>>): Identity {
  const claims = new Map<string, ClaimValue[]>();
  for (const [name, value] of Object.entries(members)) {
    if (TOKEN_MEMBERS.has(name)) continue;
    for (const known of namesOf(name)) {
      claims.set(known, [...(claims.get(known) ?? []), ...claimValues(value)]);
    }
  }
  const [userId] = claimValues(members['sub'] ?? members['nameid']);
  return {
    userId: userId === undefined ? undefined : String(userId),
    claims: Object.fromEntries(claims),
  };
}

/**
 * The names that a claim is passed on under: its own, and for hubs in .NET, which look up its long
 * type, the one short name that becomes that: `role` beside `roles`. They have the user id anyway.
 */
function namesOf(name: string): Set<string> {
  const long = longClaimType(name);
  return new Set(long === NAME_IDENTIFIER ? [name] : [name, shortClaimType(long)]);
}

/** Objects become their JSON text, which is what an app server would get anyway; null is nothing. */
function claimValues(value: unknown): ClaimValue[] {
  if (Array.isArray(value)) return value.flatMap(claimValues);
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return [value];
    case 'object':
      return value === null ? [] : [JSON.stringify(value)];
    default:
      return [];
  }
}
