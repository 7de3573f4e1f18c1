import type { OpenConnection } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import { forwardedClaims } from '@trunkline/tokens';

/**
 * What an app server must be told of a client, kept for the connection's life because another
 * server may have to be told it later. One flat string each: the smallest form that memory has for
 * text, read again only when a server is.
 */
export interface Opening {
  /** The JSON text of the access token's payload. */
  readonly tokenPayload: string;
  /** `name\nvalue\n` …, made by `packHeaders`. */
  readonly headers: string;
  /** With its `?`, without `access_token`; or empty. */
  readonly queryString: string;
}

/** What a client may bring; more is refused at the door. */
export const MAX_OPENING_BYTES = 16 * 1024;

/** Of the connection between client and edge, or the edge's own word: no app server sees these. */
const WITHHELD =
  /^(?:asrs-|x-asrs-|sec-websocket-|(?:authorization|connection|upgrade|x-forwarded-for)$)/;

/**
 * The headers that an app server gets to see, with the client's address as `x-forwarded-for`. Names
 * are lower case and each there once, as the listener gives them; values have no line breaks.
 */
export function packHeaders(headers: ReadonlyMap<string, string>, remoteAddress: string): string {
  let packed = `x-forwarded-for\n${remoteAddress}\n`;
  for (const [name, value] of headers) {
    if (!WITHHELD.test(name)) packed += `${name}\n${value}\n`;
  }
  return flat(packed);
}

/** The query that an app server gets to see: all but the access token, as it was written. */
export function visibleQuery(query: string): string {
  const kept = query.split('&').filter((part) => !/^access_token(?:=|$)/i.test(part));
  const text = kept.join('&');
  return text === '' ? '' : flat(`?${text}`);
}

/** The OpenConnection message for a client (service protocol reference, section 8.2). */
export function openConnection(
  connectionId: string,
  opening: Opening,
  protocol: string,
  edgeId: string,
): OpenConnection {
  const headers = new Map<string, string[]>();
  const parts = opening.headers.split('\n');
  for (let i = 0; i + 1 < parts.length; i += 2) headers.set(parts[i]!, [parts[i + 1]!]);
  headers.set('Asrs-Instance-Id', [edgeId]);
  return {
    type: MessageType.OpenConnection,
    connectionId,
    claims: forwardedClaims(opening.tokenPayload),
    headers,
    queryString: opening.queryString,
    protocol,
  };
}

/** Text put together piece by piece keeps its pieces alive: a round trip leaves only the text. */
function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
