import { longClaimType, NAME_IDENTIFIER } from './claim-types.ts';

/** What the edge itself reads from a client token (service protocol reference, section 3.3). */
export interface ClientClaims {
  /** `asrs.s.uid`, else the first name identifier. May be empty text. */
  readonly userId: string | undefined;
  /** The server id that a sticky client wants; set only when `sticky` is not `Disabled`. */
  readonly serverName: string | undefined;
  readonly sticky: StickyMode;
  /** 1 to 30, default 15. */
  readonly handshakeTimeoutSeconds: number;
  /** Bit mask: 1 WebSockets, 2 server-sent events, 4 long polling. */
  readonly transports: number;
  /** 1 to 300: how long a long-polling client may go without an open poll. */
  readonly pollIntervalSeconds: number | undefined;
  /** Unix seconds: when to close the connection, whatever the token's own expiry. */
  readonly closeOnAuthExpirationAt: number | undefined;
  readonly diagnostic: boolean;
  readonly detailedErrors: boolean;
}

export type StickyMode = 'Disabled' | 'Preferred' | 'Required';

const DEFAULT_HANDSHAKE_TIMEOUT_SECONDS = 15;
const ALL_TRANSPORTS = 7;

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads the system claims of a verified client token. A claim with a value outside its range counts
 * as absent, as it does for the .NET SDK.
 * @param payload a `VerifiedToken`'s payload
 */
export function readClientClaims(payload: string): ClientClaims {
  const members = JSON.parse(payload) as Members;
  const serverName = firstText(members['asrs.s.sn']);
  const sticky = serverName === undefined ? 'Disabled' : stickyMode(members['asrs.s.ssticky']);
  return {
    userId: firstText(members['asrs.s.uid']) ?? nameIdentifier(members),
    serverName: sticky === 'Disabled' ? undefined : serverName,
    sticky,
    handshakeTimeoutSeconds:
      integer(members['asrs.s.cht'], 1, 30) ?? DEFAULT_HANDSHAKE_TIMEOUT_SECONDS,
    transports: integer(members['asrs.s.htt'], 1, ALL_TRANSPORTS) ?? ALL_TRANSPORTS,
    pollIntervalSeconds: integer(members['asrs.s.ttl'], 1, 300),
    closeOnAuthExpirationAt: isTrue(members['asrs.s.coae'])
      ? integer(members['asrs.s.aeo'], 0, Number.MAX_SAFE_INTEGER)
      : undefined,
    diagnostic: isTrue(members['asrs.s.dc']),
    detailedErrors: isTrue(members['asrs.s.derror']),
  };
}

/**
 * The claims that an open-connection message carries: every member of the token as (type, value)
 * pairs, arrays as repeated pairs, never nil, `asrs.s.*` included. A short name that .NET has a
 * long type for goes under both, first the long one: the package has one token for identities of
 * either kind, and an app looks its claims up by the names it gave them. Where `asrs.s.uid` is the
 * only word on the user, a name identifier is added, because SDK 1.15 reads nothing else (service
 * protocol reference, section 3.5).
 * @param payload a `VerifiedToken`'s payload
 */
export function forwardedClaims(payload: string): [type: string, value: string][] {
  const members = JSON.parse(payload) as Members;
  const claims: [string, string][] = [];
  for (const [name, value] of Object.entries(members)) {
    const type = longClaimType(name);
    for (const text of texts(value)) {
      claims.push([type, text]);
      if (type !== name) claims.push([name, text]);
    }
  }
  const userId = firstText(members['asrs.s.uid']);
  if (userId && !claims.some(([type]) => type === NAME_IDENTIFIER)) {
    claims.push([NAME_IDENTIFIER, userId]);
  }
  return claims;
}

/**
 * The server id in a server token, for servers that send no `X-ASRS-Server-Id` header.
 * @param payload a `VerifiedToken`'s payload
 */
export function readServerClaims(payload: string): { serverId: string | undefined } {
  return { serverId: nameIdentifier(JSON.parse(payload) as Members) };
}

function nameIdentifier(members: Members): string | undefined {
  for (const name of Object.keys(members)) {
    if (longClaimType(name) === NAME_IDENTIFIER) return firstText(members[name]);
  }
  return undefined;
}

/** A claim's values as text: JSON text for objects, nothing for null. */
export function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (value === null || value === undefined) return [];
  return [typeof value === 'string' ? value : JSON.stringify(value)];
}

function firstText(value: unknown): string | undefined {
  return texts(value)[0];
}

function integer(value: unknown, min: number, max: number): number | undefined {
  const text = firstText(value);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= min && number <= max ? number : undefined;
}

/** The .NET SDK writes both `true` and `True`. */
function isTrue(value: unknown): boolean {
  return firstText(value)?.toLowerCase() === 'true';
}

/** By name as the SDK writes it, or by number as the REST documentation has it. */
function stickyMode(value: unknown): StickyMode {
  switch (firstText(value)?.toLowerCase()) {
    case 'preferred':
    case '1':
      return 'Preferred';
    case 'required':
    case '2':
      return 'Required';
    default:
      return 'Disabled';
  }
}
