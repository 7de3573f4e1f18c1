import type { TransportName } from '@trunkline/protocol';
import { NAME_IDENTIFIER } from '@trunkline/tokens';

import type { NegotiateChoices, Principal } from '../negotiate.ts';

/** What a client calls itself at negotiate: base64url JSON, as a bearer token of the app's own. */
export interface Identity {
  readonly userId?: string;
  readonly claims?: Readonly<Record<string, string | readonly string[]>>;
  /** The sign-in ends so long after negotiate, and the connection with it. */
  readonly signInSeconds?: number;
  readonly tokenLifetimeSeconds?: number;
  /** It may sign in anew; the stand-in knows nothing of it. */
  readonly authenticationRefresh?: boolean;
  readonly transports?: readonly TransportName[];
  /** How long it may go between two polls. */
  readonly maxPollIntervalSeconds?: number;
  /** URLs of hubs that negotiate sends the client to, one after another, before the service. */
  readonly detours?: readonly string[];
}

/** Who an `Authorization` header says that a client is; nobody without one. */
export function identityOf(authorization: string | undefined): Identity {
  const token = authorization?.replace('Bearer ', '');
  if (token === undefined) return {};
  return JSON.parse(Buffer.from(token, 'base64url').toString()) as Identity;
}

/** The user, as ASP.NET's authentication would have it. */
export function principalOf({ userId, claims = {}, signInSeconds }: Identity): Principal {
  const given = Object.entries(claims).flatMap(([type, values]) =>
    [values].flat().map((value): [string, string] => [type, value]),
  );
  return {
    ...(userId === undefined
      ? { claims: given }
      : { userId, claims: [[NAME_IDENTIFIER, userId], ...given] }),
    ...(signInSeconds === undefined
      ? {}
      : { expiresAt: new Date(Date.now() + signInSeconds * 1000) }),
  };
}

export function choicesOf(identity: Identity): NegotiateChoices {
  const { tokenLifetimeSeconds, transports, maxPollIntervalSeconds } = identity;
  return {
    ...(tokenLifetimeSeconds === undefined ? {} : { accessTokenLifetime: tokenLifetimeSeconds }),
    ...(transports === undefined ? {} : { transports }),
    ...(maxPollIntervalSeconds === undefined
      ? {}
      : { maxPollIntervalInSeconds: maxPollIntervalSeconds }),
  };
}

/** The answer of the app's own negotiate that sends a client elsewhere first, if it asked for one. */
export function detourOf(
  identity: Identity,
): { readonly url: string; readonly accessToken: string } | undefined {
  const [url, ...detours] = identity.detours ?? [];
  if (url === undefined) return undefined;
  const token = JSON.stringify({ ...identity, detours });
  return { url, accessToken: Buffer.from(token).toString('base64url') };
}
