import type { Claims } from '@trunkline/protocol';
import { givenClaims, NAME_IDENTIFIER } from '@trunkline/tokens';

const USER_ID = 'asrs.s.uid';

/** A user's claims by name; several values where a claim repeats. */
export type UserClaims = Readonly<Record<string, string | readonly string[]>>;

/** What negotiate named as the user, else the name identifier (service protocol reference, 3.5). */
export function userIdentifier(claims: Claims): string | undefined {
  const value = (type: string) => claims.find(([name]) => name === type)?.[1];
  return value(USER_ID) ?? value(NAME_IDENTIFIER);
}

/** The user's own claims among those of an OpenConnection, by the names that the app gave them. */
export function userClaims(claims: Claims): UserClaims {
  return byName(givenClaims(claims));
}

/** Claims by name, in their order. No prototype, since the names come from outside. */
export function byName(claims: Iterable<readonly [name: string, value: string]>): UserClaims {
  const result = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of claims) {
    const known = result[name];
    if (known === undefined) result[name] = value;
    else if (typeof known === 'string') result[name] = [known, value];
    else known.push(value);
  }
  return result;
}
