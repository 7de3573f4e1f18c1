import type { Claims } from '@trunkline/tokens';
import { DEFAULT_LIFETIME_SECONDS, mintClientToken } from '@trunkline/tokens';

import type { HubUser } from '../clients/authorization.ts';
import { negotiatedUser } from '../clients/authorization.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { NegotiateRoute } from './handler.ts';
import type { NegotiateOptions, TokenOptions } from './options.ts';
import { tokenClaims } from './options.ts';

/** Whoever asks, as the app knows them. */
interface SignedIn {
  readonly userId: string | undefined;
  readonly claims: Claims | undefined;
  readonly expiresAt: Date | undefined;
  /** The same, as hubs see it. */
  readonly user: HubUser;
}

/** Asks the app. Rejects with ClaimError, and whatever the app throws. */
export async function signedIn<Request>(
  request: Request,
  options: NegotiateOptions<Request>,
): Promise<SignedIn> {
  const [userId, claims, expiresAt] = await Promise.all([
    options.userId?.(request),
    options.claims?.(request),
    options.expiresAt?.(request),
  ]);
  return { userId, claims, expiresAt, user: negotiatedUser(userId, claims) };
}

/** Makes somebody's access token for an endpoint. What it returns throws TokenTooLongError. */
export function tokenMaker(
  route: NegotiateRoute,
  options: TokenOptions,
  { userId, claims, expiresAt }: SignedIn,
  lifetimeSeconds: number | undefined,
): (endpoint: Endpoint) => string {
  const system = { ...route.system, ...tokenClaims(options, expiresAt) };
  const client = { hub: route.hub, userId, claims, lifetimeSeconds, system };
  return ({ service }) => {
    const { accessKey, audienceBase } = service.address;
    return mintClientToken({ key: accessKey, audienceBase, ...client });
  };
}

/**
 * How long a token is good for where clients refresh it: as ever, but no longer than the sign-in.
 * Whole seconds, 0 for a sign-in that is over.
 */
export function refreshedLifetime(
  { tokenLifetimeSeconds = DEFAULT_LIFETIME_SECONDS }: TokenOptions,
  expiresAt: Date | undefined,
): number {
  if (expiresAt === undefined) return tokenLifetimeSeconds;
  const left = Math.floor((expiresAt.getTime() - Date.now()) / 1000);
  return Math.max(0, Math.min(tokenLifetimeSeconds, left));
}
