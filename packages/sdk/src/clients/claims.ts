import type { Claims } from '@trunkline/protocol';
import { longClaimType, NAME_IDENTIFIER, shortClaimType } from '@trunkline/tokens';

const USER_ID = 'asrs.s.uid';
export const SYSTEM_PREFIX = 'asrs.s.';
export const RENAMED_PREFIX = 'asrs.u.';
/** Of the token itself; a user's own claim of such a name travels renamed. */
const RESERVED = new Set('aud exp iat nbf iss actort acr azp c_hash jti nonce'.split(' '));

/** A user's claims by type; several values where the type repeats. */
export type UserClaims = Readonly<Record<string, string | readonly string[]>>;

/** What negotiate named as the user, else the name identifier (service protocol reference, 3.5). */
export function userIdentifier(claims: Claims): string | undefined {
  const value = (type: string) => claims.find(([name]) => name === type)?.[1];
  return value(USER_ID) ?? value(NAME_IDENTIFIER);
}

/**
 * The user's own claims among those of an OpenConnection: the token's and the system's are dropped,
 * renamed ones get their names back, and the long types that the service writes for .NET apps,
 * with or without the short names behind them, are the short names that tokens have (service
 * protocol reference, sections 3.4 and 3.5): `role`, `email`, `nameid`. No prototype, since the
 * names come from outside.
 */
export function userClaims(claims: Claims): UserClaims {
  const result = Object.create(null) as Record<string, string | string[]>;
  for (const [index, [type, value]] of claims.entries()) {
    if (type.startsWith(SYSTEM_PREFIX) || RESERVED.has(type)) continue;
    if (repeats(claims[index - 1], type, value)) continue;
    const renamed = type.startsWith(RENAMED_PREFIX);
    const name = renamed ? type.slice(RENAMED_PREFIX.length) : shortClaimType(type);
    const known = result[name];
    if (known === undefined) result[name] = value;
    else if (typeof known === 'string') result[name] = [known, value];
    else known.push(value);
  }
  return result;
}

/** Whether a claim is the one before it under its short name. */
function repeats(before: Claims[number] | undefined, type: string, value: string): boolean {
  const long = longClaimType(type);
  return long !== type && before?.[0] === long && before[1] === value;
}
