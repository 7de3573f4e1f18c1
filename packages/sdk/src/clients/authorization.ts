import type { Claims } from '@trunkline/tokens';
import { claimList, userIdOf } from '@trunkline/tokens';

import type { UserClaims } from './claims.ts';
import { byName } from './claims.ts';

/** Who wants to use a hub, as negotiate and the connection's own context both know it. */
export interface HubUser {
  readonly userIdentifier: string | undefined;
  readonly claims: UserClaims;
}

/**
 * Whether somebody may connect to a hub; anything but true refuses. Asked at negotiate, which answers
 * 401 where there is no user id and 403 where there is one, and again when the connection opens,
 * where the argument is its HubContext.
 */
export type Authorize = (user: HubUser) => boolean | Promise<boolean>;

/**
 * Somebody as negotiate knows them, in the shape that the connection's context will have. Throws
 * ClaimError, as the token would.
 */
export function negotiatedUser(userId: string | undefined, given: Claims = {}): HubUser {
  const claims = claimList(given);
  return {
    userIdentifier: userIdOf(userId, claims),
    claims: byName(claims.map(([name, value]) => [name, String(value)])),
  };
}

/** Only true is a yes, whatever plain JavaScript answers. */
export async function isYes(answer: unknown): Promise<boolean> {
  return (await answer) === true;
}
