import { TRANSPORT_BITS } from '@trunkline/protocol';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';

import type { Identity } from '@trunkline/testing';

/** What the app server takes for a client's sign-in. */
export function appToken(identity: Identity): string {
  return Buffer.from(JSON.stringify(identity)).toString('base64url');
}

/** What the app server's negotiate would give this client, now. `hub` is the hub key. */
export function edgeToken(hub: string, identity: Identity): string {
  const { userId, claims, tokenLifetimeSeconds, signInSeconds } = identity;
  const { transports, maxPollIntervalSeconds } = identity;
  return mintClientToken({
    key: DEVELOPMENT_ACCESS_KEY,
    audienceBase: 'http://edge/',
    hub,
    userId,
    claims,
    lifetimeSeconds: tokenLifetimeSeconds,
    system: {
      closeOnAuthExpirationAt:
        signInSeconds === undefined ? undefined : Math.floor(signInEnd(signInSeconds) / 1000),
      transports: transports?.reduce((mask, transport) => mask | TRANSPORT_BITS[transport], 0),
      pollIntervalSeconds: maxPollIntervalSeconds,
    },
  });
}

/** In milliseconds since 1970, for a sign-in of now. */
export function signInEnd(seconds: number): number {
  return Date.now() + seconds * 1000;
}
