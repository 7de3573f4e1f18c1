import { withoutAccessToken } from './query.ts';

/** The negotiate answers of both sides (client protocols reference, sections 1.2, 1.3 and 7.1). */

export type TransportName = 'WebSockets' | 'ServerSentEvents' | 'LongPolling';
export type TransferFormat = 'Text' | 'Binary';

export interface AvailableTransport {
  readonly transport: TransportName;
  readonly transferFormats: readonly TransferFormat[];
}

/** The bits of the `asrs.s.htt` claim. */
export const TRANSPORT_BITS: Readonly<Record<TransportName, number>> = {
  WebSockets: 1,
  ServerSentEvents: 2,
  LongPolling: 4,
};

/** In the order clients should try them. Some clients fail on a name or format they do not know. */
export const TRANSPORTS: readonly AvailableTransport[] = [
  { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] },
  { transport: 'ServerSentEvents', transferFormats: ['Text'] },
  { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
];

/** The transports that a bit mask of TRANSPORT_BITS allows, in their order. */
export function transportsFor(mask: number): AvailableTransport[] {
  return TRANSPORTS.filter(({ transport }) => (mask & TRANSPORT_BITS[transport]) !== 0);
}

/** The highest negotiate version: 1 has a connection token apart from the connection id. */
export const NEGOTIATE_VERSION = 1;

/** Sent with status 200, like every negotiate answer; the client shows the text as it is. */
export interface NegotiateError {
  readonly error: string;
}

/** A member that does not apply is left out, never null: Java clients fail on null. */
export interface NegotiateAnswer {
  readonly negotiateVersion: number;
  readonly connectionId: string;
  readonly connectionToken?: string;
  readonly useStatefulReconnect?: true;
  readonly availableTransports: readonly AvailableTransport[];
}

export interface RedirectAnswer {
  readonly negotiateVersion: 0;
  readonly url: string;
  readonly accessToken: string;
  readonly availableTransports: readonly [];
}

/**
 * The version to answer with, from the request's `negotiateVersion` (its name ignoring case; null
 * when missing, which means 0). An integer is what .NET's `int.TryParse` takes for one.
 */
export function negotiateVersion(queryValue: string | null): number | NegotiateError {
  if (queryValue === null) return 0;
  const version = /^\s*[+-]?\d+\s*$/.test(queryValue) ? Number(queryValue) : NaN;
  if ((version | 0) !== version) {
    return { error: 'The client requested a non-integer protocol version.' };
  }
  if (version < 0) {
    return {
      error: `The client requested version '${version}', but the server does not support this version.`,
    };
  }
  return Math.min(version, NEGOTIATE_VERSION);
}

export interface NegotiateOffer {
  version: number;
  connectionId: string;
  /** Left out for version 0, where the connection id plays both roles. */
  connectionToken: string;
  transports: readonly AvailableTransport[];
  /** Only if the client asked for it and it is allowed: clients fail on one they did not ask for. */
  useStatefulReconnect?: boolean;
}

export function negotiateAnswer(offer: NegotiateOffer): NegotiateAnswer {
  return {
    negotiateVersion: offer.version,
    connectionId: offer.connectionId,
    ...(offer.version > 0 && { connectionToken: offer.connectionToken }),
    ...(offer.useStatefulReconnect === true && { useStatefulReconnect: true as const }),
    availableTransports: offer.transports,
  };
}

/** Sends a client on to `url`; version 0 and the empty list are what Azure's SDK answers. */
export function redirectAnswer(url: string, accessToken: string): RedirectAnswer {
  return { negotiateVersion: 0, url, accessToken, availableTransports: [] };
}

export interface RedirectTarget {
  /** Of the edge or service, with or without a slash at its end. */
  clientEndpoint: string;
  /** The hub key: lower case, with its application prefix. */
  hub: string;
  /** Path of the negotiate request, percent-decoded. */
  originalPath: string;
  /** Query of the negotiate request, raw, with or without its `?`. */
  originalQuery: string;
  requestId: string;
}

/**
 * Where an app server sends a client that negotiated with it (service protocol reference, section
 * 4). Clients drop their own query on a redirect, so it is carried over here, as it was, but for the
 * token that they sign in to the app with: that is not the edge's business.
 */
export function redirectUrl(target: RedirectTarget): string {
  const endpoint = target.clientEndpoint.replace(/\/?$/, '/');
  const path = /^(.*)\/negotiate\/?$/s.exec(target.originalPath)?.[1] ?? '';
  const query = withoutAccessToken(target.originalQuery.replace(/^\?/, ''));
  return [
    `${endpoint}client/?hub=${encodeURIComponent(target.hub)}`,
    path === '' ? '' : `&asrs.op=${encodeURIComponent(path)}`,
    query === '' ? '' : `&${query}`,
    `&asrs_request_id=${encodeURIComponent(target.requestId)}`,
  ].join('');
}
