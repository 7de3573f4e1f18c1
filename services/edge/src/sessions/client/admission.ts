import type { NegotiateAnswer } from '@trunkline/protocol';
import {
  negotiateAnswer,
  negotiateVersion,
  TRANSPORT_BITS,
  transportsFor,
} from '@trunkline/protocol';
import type { ClientClaims } from '@trunkline/tokens';
import { readClientClaims } from '@trunkline/tokens';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { HubDirectory } from '../hub-directory.ts';
import { queryValue } from '../query.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import { requestedHub, requestToken, unauthorized } from '../token-verifier.ts';
import { ClientSession } from './client-session.ts';
import { mintConnectionToken, verifyConnectionToken } from './connection-token.ts';
import { CONNECT_WITHIN_MS, NegotiatedIds } from './negotiated.ts';
import type { Opening } from './opening.ts';
import { MAX_OPENING_LENGTH, openingLength, visibleHeaders, visibleQuery } from './opening.ts';

/** Transports this edge serves, as a mask of TRANSPORT_BITS. */
const SERVED = TRANSPORT_BITS.WebSockets;

interface Visitor {
  readonly hub: string;
  readonly tokenPayload: string;
  readonly claims: ClientClaims;
}

/** The clients' door: who may come in, under which id. */
export class ClientAdmission {
  readonly #context: EdgeContext;
  readonly #tokens: TokenVerifier;
  readonly #hubs: HubDirectory;
  readonly #negotiated: NegotiatedIds;

  constructor(context: EdgeContext, tokens: TokenVerifier, hubs: HubDirectory) {
    this.#context = context;
    this.#tokens = tokens;
    this.#hubs = hubs;
    this.#negotiated = new NegotiatedIds((id) => context.clients.release(id));
  }

  /** `POST /client/negotiate`: an id, and the token to connect with. */
  negotiate(request: HttpRequest): HttpAnswer {
    const { negotiates } = this.#context.counters;
    const visitor = this.#visitor(request);
    if ('status' in visitor) {
      negotiates.add(visitor.status === 401 ? 'unauthorized' : 'bad_request');
      return visitor;
    }
    const version = negotiateVersion(askedVersion(request.query));
    if (typeof version !== 'number') {
      negotiates.add('bad_request');
      return json(version);
    }
    const offer = this.#offer(visitor, version);
    negotiates.add(offer === undefined ? 'unavailable' : 'ok');
    return offer === undefined ? BUSY : json(offer);
  }

  /** A WebSocket at `/client/`, with the `id` of a negotiate or without (section 2.1). */
  connect(request: HttpRequest): ClientSession | HttpAnswer {
    const visitor = this.#visitor(request);
    if ('status' in visitor) return visitor;
    const { hub, tokenPayload, claims } = visitor;
    if ((claims.transports & TRANSPORT_BITS.WebSockets) === 0) {
      return text(404, 'WebSockets transport not supported by this end point type');
    }
    const opening: Opening = {
      tokenPayload,
      headers: visibleHeaders(request.headers, request.remoteAddress),
      queryString: visibleQuery(request.query),
    };
    if (openingLength(opening) > MAX_OPENING_LENGTH) {
      return text(431, `Token, headers and query are over ${MAX_OPENING_LENGTH} characters.`);
    }
    const id = this.#connectionId(request, hub, claims.userId);
    if (typeof id !== 'string') return id;
    const { userId, handshakeTimeoutSeconds, sticky, serverName } = claims;
    const identity = {
      id,
      userId,
      hub: this.#hubs.get(hub),
      opening,
      affinity: sticky === 'Disabled' ? ANYWHERE : { sticky, serverName },
      handshakeMs: handshakeTimeoutSeconds * 1000,
    };
    return new ClientSession(identity, this.#context);
  }

  /** Gives back the ids of negotiates that nobody followed up. */
  expire(now: number): void {
    this.#negotiated.expire(now);
  }

  /** Undefined when too many ids are out already. */
  #offer({ hub, claims }: Visitor, version: number): NegotiateAnswer | undefined {
    const connectionId = this.#negotiated.full ? undefined : this.#context.clients.reserve();
    if (connectionId === undefined) return undefined;
    const { clock } = this.#context;
    const { userId } = claims;
    this.#negotiated.add(connectionId, { version, hub, userId }, clock.now());
    const connectBy = Math.ceil(clock.unixSeconds()) + CONNECT_WITHIN_MS / 1000;
    const grant = { id: connectionId, hub, userId, connectBy };
    const connectionToken = mintConnectionToken(grant, this.#tokens.keys.first);
    const transports = transportsFor(claims.transports & SERVED);
    return negotiateAnswer({ version, connectionId, connectionToken, transports });
  }

  #visitor(request: HttpRequest): Visitor | HttpAnswer {
    const hub = requestedHub(request);
    if (hub === undefined) return text(400, 'The query must name a hub: ?hub=<name>.');
    const verified = this.#tokens.verify(requestToken(request), 'client', hub);
    if (typeof verified === 'string') return unauthorized(verified);
    const { payload } = verified;
    return { hub, tokenPayload: payload, claims: readClientClaims(payload) };
  }

  /** The negotiated id, claimed so that nobody can connect with it again, or a new one. */
  #connectionId(
    request: HttpRequest,
    hub: string,
    userId: string | undefined,
  ): string | HttpAnswer {
    const token = queryValue(request.query, 'id');
    if (token === undefined) return this.#context.clients.reserve() ?? BUSY;
    // Negotiate version 0 has no token: the id alone must do.
    const version = token.includes('.') ? 1 : 0;
    const id =
      version === 0 ? token : verifyConnectionToken(token, hub, userId, this.#tokens.keys)?.id;
    const now = this.#context.clock.now();
    if (id === undefined || !this.#negotiated.claim(id, { version, hub, userId }, now)) {
      return text(404, 'No Connection with that ID');
    }
    return id;
  }
}

/** Most clients do not stick: they share one object. */
const ANYWHERE = { sticky: 'Disabled', serverName: undefined } as const;

const BUSY: HttpAnswer = { status: 503, headers: { 'retry-after': '1' } };

function json(body: object): HttpAnswer {
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, body: JSON.stringify(body) };
}

function text(status: number, body: string): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}

/** ASP.NET looks query keys up ignoring case. */
function askedVersion(query: string): string | null {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name.toLowerCase() === 'negotiateversion') return value;
  }
  return null;
}
