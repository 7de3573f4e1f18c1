import { accessKey } from './access-keys.ts';
import type { AccessKey } from './access-keys.ts';
import type { StickyMode } from './claims.ts';
import { jwt } from './jwt.ts';
import { MAX_TOKEN_LENGTH } from './limits.ts';
import { append, memberText, memberTexts } from './members.ts';
import type { MemberList } from './members.ts';
import { ClaimError, claimList, memberName, userIdOf } from './user-claims.ts';
import type { Claims, ClaimValue } from './user-claims.ts';

export type Algorithm = 'HS256' | 'HS512';

interface MintOptions {
  readonly key: string | AccessKey;
  /** Default one hour. */
  readonly lifetimeSeconds?: number | undefined;
  /** Unix seconds; default the current time. */
  readonly now?: number | undefined;
  readonly algorithm?: Algorithm | undefined;
}

export interface ServerTokenOptions extends MintOptions {
  /** `scheme://host/`, as a parsed connection string has it. */
  readonly audienceBase: string;
  /** The hub key: lower case, with its application prefix. */
  readonly hub: string;
  readonly serverId: string;
}

export interface ClientTokenOptions extends MintOptions {
  readonly audienceBase: string;
  readonly hub: string;
  /** Default: the first name identifier among the claims. */
  readonly userId?: string | undefined;
  readonly claims?: Claims | undefined;
  readonly system?: SystemClaims | undefined;
}

export interface RestTokenOptions extends MintOptions {
  /** The URL of the call, without query. */
  readonly audience: string;
  readonly serverId?: string | undefined;
}

/** What a client token tells the service (service protocol reference, section 3.3). */
export interface SystemClaims {
  /** The negotiating server, for sticky clients; written only together with a `sticky` mode. */
  readonly serverName?: string | undefined;
  readonly sticky?: StickyMode | undefined;
  readonly diagnostic?: boolean | undefined;
  /** 1 to 30; 15, the default, is not written. */
  readonly handshakeTimeoutSeconds?: number | undefined;
  /** Not written when `Bearer`. */
  readonly authenticationType?: string | undefined;
  readonly detailedErrors?: boolean | undefined;
  readonly nameClaimType?: string | undefined;
  readonly roleClaimType?: string | undefined;
  /** 1 to 300. */
  readonly pollIntervalSeconds?: number | undefined;
  /** Bit mask: 1 WebSockets, 2 server-sent events, 4 long polling. */
  readonly transports?: number | undefined;
  /** Unix seconds. */
  readonly closeOnAuthExpirationAt?: number | undefined;
}

/** The claims make a token longer than clients can carry in a URL. */
export class TokenTooLongError extends Error {
  override readonly name = 'TokenTooLongError';

  constructor() {
    super('AccessToken must not be longer than 4K.');
  }
}

/** How long a token is good for where nobody says otherwise. */
export const DEFAULT_LIFETIME_SECONDS = 3600;
const NO_DATE = 'the end of the sign-in must be a valid date';

/** The token that a server connection opens `/server/` with. */
export function mintServerToken(o: ServerTokenOptions): string {
  const audience = `${o.audienceBase}server/?hub=${encodeURIComponent(o.hub)}`;
  return sign(o, audience, new Map([['nameid', [o.serverId]]]));
}

/**
 * The token that a negotiate answer gives to a client: the user id, system claims, then the user's
 * own, under names that reach a hub as they are (`memberName`).
 * @throws TokenTooLongError, and ClaimError for values that no token can carry
 */
export function mintClientToken(o: ClientTokenOptions): string {
  const members: MemberList<ClaimValue> = new Map();
  const claims = claimList(o.claims ?? {});
  const userId = userIdOf(o.userId, claims);
  if (userId !== undefined) append(members, 'asrs.s.uid', userId);
  for (const [name, value] of systemClaims(o.system ?? {})) append(members, name, value);
  for (const [name, value] of claims) append(members, memberName(name), value);
  const audience = `${o.audienceBase}client/?hub=${encodeURIComponent(o.hub)}`;
  return sign(o, audience, members);
}

/** The payload of a token that was made here, as JSON text: nothing of it is checked. */
export function mintedPayload(token: string): string {
  return Buffer.from(token.split('.')[1]!, 'base64url').toString();
}

/** The token of one REST call. */
export function mintRestToken(o: RestTokenOptions): string {
  const members: MemberList<ClaimValue> = new Map();
  if (o.serverId !== undefined) append(members, 'nameid', o.serverId);
  return sign(o, o.audience, members);
}

/** In the order the .NET SDK writes them; values are texts. */
function* systemClaims(system: SystemClaims): Generator<[string, string]> {
  if (system.serverName !== undefined && (system.sticky ?? 'Disabled') !== 'Disabled') {
    yield ['asrs.s.sn', system.serverName];
    yield ['asrs.s.ssticky', String(system.sticky)];
  }
  if (system.diagnostic) yield ['asrs.s.dc', 'true'];
  if ((system.handshakeTimeoutSeconds ?? 15) !== 15) {
    yield ['asrs.s.cht', String(system.handshakeTimeoutSeconds)];
  }
  if ((system.authenticationType ?? 'Bearer') !== 'Bearer') {
    yield ['asrs.s.aut', String(system.authenticationType)];
  }
  if (system.detailedErrors) yield ['asrs.s.derror', 'True'];
  if (system.nameClaimType !== undefined) yield ['asrs.s.nt', system.nameClaimType];
  if (system.roleClaimType !== undefined) yield ['asrs.s.rt', system.roleClaimType];
  if (system.pollIntervalSeconds !== undefined) {
    yield ['asrs.s.ttl', String(system.pollIntervalSeconds)];
  }
  if (system.transports !== undefined) yield ['asrs.s.htt', String(system.transports)];
  if (system.closeOnAuthExpirationAt !== undefined) {
    if (Number.isNaN(system.closeOnAuthExpirationAt)) throw new ClaimError(NO_DATE);
    yield ['asrs.s.coae', 'true'];
    yield ['asrs.s.aeo', String(system.closeOnAuthExpirationAt)];
  }
}

function sign(o: MintOptions, audience: string, members: MemberList<ClaimValue>): string {
  const now = o.now ?? Math.floor(Date.now() / 1000);
  const json = [
    ...memberTexts(members),
    memberText('nbf', now),
    memberText('exp', now + (o.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS)),
    memberText('iat', now),
    memberText('aud', audience),
  ];
  const key = typeof o.key === 'string' ? accessKey(o.key) : o.key;
  const algorithm = o.algorithm ?? 'HS256';
  // As text: given an object, jsonwebtoken trips over claims named like members of Object.prototype.
  const token = jwt.sign(`{${json.join(',')}}`, key.secret, {
    algorithm,
    header: { alg: algorithm, typ: 'JWT', kid: key.kid },
  });
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenTooLongError();
  return token;
}
