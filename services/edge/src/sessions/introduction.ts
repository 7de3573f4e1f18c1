import type { OpenConnection } from '@trunkline/protocol';
import { MessageType, withoutAccessToken } from '@trunkline/protocol';
import { forwardedClaims } from '@trunkline/tokens';
import { LRUCache } from 'lru-cache';
import type { Source } from './forwarded.ts';
import { isCredible } from './forwarded.ts';
import type { Transport } from './transport.ts';

/**
 * What an app server must be told of a client, kept for the connection's life because another
 * server may have to be told it later: as flat text, the smallest form that memory has for it, and
 * shared where clients say the same.
 */
export interface Introduction {
  /** The JSON text of the access token's payload, which a new sign-in replaces. */
  tokenPayload: string;
  /** `name: value` each, made by `visibleHeaders`. */
  readonly headers: readonly string[];
  /** With its `?`, without `access_token`; or empty. */
  readonly queryString: string;
  /** The app server wants to trace this client. */
  readonly diagnostic?: true;
}

/** How long an introduction may be, in characters; a client with more is refused at the door. */
export const MAX_INTRODUCTION_LENGTH = 16 * 1024;

/** Headers that belong to the connection between client and edge: no app server sees them. */
const WITHHELD = /^(?:asrs-|x-asrs-|sec-websocket-|(?:authorization|connection|upgrade)$)/;

/** Header lines that clients have in common, the latest of them; longer ones are nobody else's. */
const shared = new LRUCache<string, string>({ max: 1024 });
const SHARED_LENGTH = 256;

/**
 * The headers that an app server gets to see, with the client's address as `x-forwarded-for`. Names
 * are lower case and each there once, as the listener gives them.
 */
export function visibleHeaders(
  headers: ReadonlyMap<string, string>,
  { address, trusted }: Pick<Source, 'address' | 'trusted'>,
): readonly string[] {
  const lines = [share(`x-forwarded-for: ${address}`)];
  for (const [name, value] of headers) {
    if (WITHHELD.test(name) || !isCredible(name, trusted)) continue;
    lines.push(share(`${name}: ${value}`));
  }
  return lines;
}

function share(line: string): string {
  if (line.length > SHARED_LENGTH) return flat(line);
  const known = shared.get(line);
  if (known !== undefined) return known;
  const own = flat(line);
  shared.set(own, own);
  return own;
}

/** The value of a header that app servers get to see. */
export function visibleHeader({ headers }: Introduction, name: string): string | undefined {
  const start = `${name}: `;
  return headers.find((line) => line.startsWith(start))?.slice(start.length);
}

/** What a client makes the edge keep by its introduction, in characters. */
export function introductionLength(introduction: Introduction): number {
  const headers = introduction.headers.reduce((sum, line) => sum + line.length, 0);
  return introduction.tokenPayload.length + headers + introduction.queryString.length;
}

/** A new sign-in in the place of the one that the client began with. */
export function replaceTokenPayload(introduction: Introduction, payload: string): void {
  introduction.tokenPayload = flat(payload);
}

/** The query that an app server gets to see: all but the access token, as it was written. */
export function visibleQuery(query: string): string {
  const text = withoutAccessToken(query);
  return text === '' ? '' : flat(`?${text}`);
}

/** The OpenConnection message for a client (service protocol reference, section 8.2). */
export function openConnection(
  connectionId: string,
  introduction: Introduction,
  protocol: string,
  edgeId: string,
  transport: Transport,
  migratedFrom?: string,
): OpenConnection {
  const headers = new Map<string, string[]>();
  for (const line of introduction.headers) {
    const colon = line.indexOf(': ');
    headers.set(line.slice(0, colon), [line.slice(colon + 2)]);
  }
  headers.set('Asrs-Instance-Id', [edgeId]);
  headers.set('Asrs-Transport', transport.told);
  if (introduction.diagnostic) headers.set('Asrs-Is-Diagnostic-Client', ['true']);
  if (migratedFrom !== undefined) headers.set('Asrs-Migrate-From', [migratedFrom]);
  return {
    type: MessageType.OpenConnection,
    connectionId,
    claims: forwardedClaims(introduction.tokenPayload),
    headers,
    queryString: introduction.queryString,
    protocol,
  };
}

/** Text put together piece by piece keeps its pieces alive: a round trip leaves only the text. */
function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
