import type { Claims } from '@trunkline/tokens';
import { longClaimType, shortClaimType } from '@trunkline/tokens';

import type { UserClaims } from './claims.ts';
import { RENAMED_PREFIX, SYSTEM_PREFIX, userClaims } from './claims.ts';

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

/** Somebody as negotiate knows them, in the shape that the connection's context will have. */
export function negotiatedUser(userId: string | undefined, given: Claims = {}): HubUser {
  const claims = userClaims(
    Object.entries(given)
      .filter(([type]) => !type.startsWith(SYSTEM_PREFIX))
      .flatMap(([type, values]) => {
        // Claims that are renamed on their way keep their names, as these do.
        const name = `${RENAMED_PREFIX}${shortClaimType(longClaimType(type))}`;
        return [values].flat().map((value) => [name, String(value)] as const);
      }),
  );
  return { userIdentifier: userId ?? [claims['nameid']].flat()[0], claims };
}

/** Only true is a yes, whatever plain JavaScript answers. */
export async function isYes(answer: unknown): Promise<boolean> {
  return (await answer) === true;
}
