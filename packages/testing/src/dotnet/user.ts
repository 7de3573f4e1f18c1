import type { Claims } from '@trunkline/protocol';
import { NAME_IDENTIFIER } from '@trunkline/tokens';

import type { Profile } from './profiles.ts';

const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const SYSTEM = 'asrs.s.';
const RENAMED = 'asrs.u.';
const RESERVED = new Set('aud exp iat nbf iss actort acr azp c_hash jti nonce'.split(' '));

/** Who a client is to the app: `Context.User` and `Context.UserIdentifier`. */
export interface User {
  readonly userIdentifier: string | null;
  readonly authenticationType: string | undefined;
  readonly isAuthenticated: boolean;
  readonly claims: Claims;
  isInRole(role: string): boolean;
}

/** The user of an OpenConnection's claims (service protocol reference, section 3.5). */
export function userOf(given: Claims, profile: Profile): User {
  const first = (type: string): string | undefined =>
    given.find(([name]) => name === type)?.[1] ?? undefined;
  const claims = given.flatMap(([type, value]): [string, string][] => {
    if (type.startsWith(RENAMED)) return [[type.slice(RENAMED.length), value]];
    return type.startsWith(SYSTEM) || RESERVED.has(type) ? [] : [[type, value]];
  });
  const isAuthenticated = claims.length > 0;
  const named = claims.find(([type]) => type === NAME_IDENTIFIER)?.[1];
  const claimed = profile.readsUserIdClaim ? first('asrs.s.uid') : undefined;
  const roleType = first('asrs.s.rt') ?? ROLE;
  return {
    userIdentifier: claimed ?? named ?? null,
    authenticationType: isAuthenticated ? (first('asrs.s.aut') ?? 'Bearer') : undefined,
    isAuthenticated,
    claims,
    isInRole: (role) => claims.some(([type, value]) => type === roleType && value === role),
  };
}
