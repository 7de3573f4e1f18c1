import { randomBytes, randomUUID } from 'node:crypto';

import { TRANSPORT_BITS, type TransportName } from '@trunkline/protocol';
import { type ConnectionString, MAX_TOKEN_LENGTH, shortClaimType } from '@trunkline/tokens';

import type { HubServer } from './hub-server.ts';
import type { Profile } from './profiles.ts';
import { type ClaimList, signToken } from './token.ts';

/** `HttpContext.User` of a negotiate request: all there is of an anonymous one is `{}`. */
export interface Principal {
  /** What `IUserIdProvider` answers. */
  readonly userId?: string;
  readonly claims?: ClaimList;
  readonly authenticationType?: string;
  /** End of its sign-in, where the hub closes connections then. */
  readonly expiresAt?: Date;
}

/** `ServiceOptions` that the app chooses by the request, or for all. */
export interface NegotiateChoices {
  /** Seconds; 3,600 when not given. */
  readonly accessTokenLifetime?: number;
  /** What `TransportTypeDetector` answers; all of them when not given. */
  readonly transports?: readonly TransportName[];
  /** The service's own when not given. */
  readonly maxPollIntervalInSeconds?: number;
}

/** `ServerStickyMode`: whether clients are to be served by the process that negotiated. */
export type StickyMode = 'Disabled' | 'Preferred' | 'Required';

export interface NegotiateRequest extends NegotiateChoices {
  readonly hub: HubServer;
  /** Of the hub, percent-decoded: the request's without `/negotiate`. */
  readonly path: string;
  /** Raw, without its `?`. */
  readonly query: string;
  readonly principal: Principal;
  readonly sticky: StickyMode;
}

export interface NegotiateResult {
  readonly status: number;
  /** JSON where the status is 200, a text for people otherwise. */
  readonly body: string;
}

const RESERVED = new Set('aud exp iat nbf iss actort acr azp c_hash jti nonce'.split(' '));
const DEFAULT_HANDSHAKE_MS = 15_000;

/** Answers the first negotiate (service protocol reference, sections 3.3, 3.4, 4 and 20.2). */
export function negotiate(request: NegotiateRequest, endpoint: ConnectionString): NegotiateResult {
  const { hub, path, query, accessTokenLifetime } = request;
  if (!hub.container.connections.some((connection) => connection.isWritable)) {
    const body = 'Azure SignalR Service is not connected yet, please try again later.';
    return { status: 500, body };
  }
  const { profile } = hub.environment;
  const { accessKey, audienceBase, clientEndpoint } = endpoint;
  const key = encodeURIComponent(hub.key);
  const audience = `${audienceBase}client/?hub=${key}`;
  const claims = [...systemClaims(request), ...userClaims(request.principal.claims ?? [], profile)];
  const accessToken = signToken(profile, accessKey, claims, audience, accessTokenLifetime);
  if (accessToken.length > MAX_TOKEN_LENGTH) {
    return { status: 413, body: 'AccessToken must not be longer than 4K.' };
  }
  const parts = [
    `hub=${key}`,
    `asrs.op=${encodeURIComponent(path)}`,
    ...(query === '' ? [] : [query]),
    `asrs_request_id=${encodeURIComponent(requestId(profile))}`,
  ];
  const url = `${clientEndpoint}client/?${parts.join('&')}`;
  const answer = { negotiateVersion: 0, url, accessToken, availableTransports: [] };
  return { status: 200, body: JSON.stringify(answer) };
}

function systemClaims(request: NegotiateRequest): [string, string][] {
  const { hub, principal, sticky, transports, maxPollIntervalInSeconds } = request;
  const { userId, authenticationType = 'Bearer', expiresAt } = principal;
  const { handshakeTimeout, enableDetailedErrors } = hub.options;
  const claims: [string, string][] = [];
  if (userId !== undefined) claims.push(['asrs.s.uid', userId]);
  if (sticky !== 'Disabled') {
    claims.push(['asrs.s.sn', hub.environment.serverId], ['asrs.s.ssticky', sticky]);
  }
  if (handshakeTimeout !== DEFAULT_HANDSHAKE_MS) {
    claims.push(['asrs.s.cht', `${Math.ceil(handshakeTimeout / 1000)}`]);
  }
  if (authenticationType !== 'Bearer') claims.push(['asrs.s.aut', authenticationType]);
  if (enableDetailedErrors) claims.push(['asrs.s.derror', 'True']);
  if (maxPollIntervalInSeconds !== undefined) {
    claims.push(['asrs.s.ttl', `${maxPollIntervalInSeconds}`]);
  }
  if (transports !== undefined) {
    const mask = transports.reduce((bits, name) => bits | TRANSPORT_BITS[name], 0);
    claims.push(['asrs.s.htt', `${mask}`]);
  }
  if (expiresAt !== undefined) {
    const seconds = Math.floor(expiresAt.getTime() / 1000);
    claims.push(['asrs.s.coae', 'true'], ['asrs.s.aeo', `${seconds}`]);
  }
  return claims;
}

function userClaims(claims: ClaimList, profile: Profile): [string, string][] {
  let subjects = 0;
  return claims.map(([type, value]) => {
    const repeated = type === 'sub' && subjects++ > 0;
    const renamed = profile.renamesReservedClaims && (repeated || RESERVED.has(type));
    return [renamed ? `asrs.u.${type}` : shortClaimType(type), value];
  });
}

/** ASP.NET's trace identifier and a random number; once the ticks of a stopwatch. */
function requestId(profile: Profile): string {
  if (!profile.renamesReservedClaims) return randomBytes(8).toString('base64');
  const trace = randomUUID().replaceAll('-', '').slice(0, 13).toUpperCase();
  return `${trace}-00000001-${randomBytes(4).toString('hex').toUpperCase()}`;
}
