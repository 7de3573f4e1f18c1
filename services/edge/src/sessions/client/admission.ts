import type { NegotiateAnswer } from '@trunkline/protocol';
import {
  negotiateAnswer,
  negotiateVersion,
  queryValue,
  redirectAnswer,
  TRANSPORT_BITS,
  transportsFor,
  withoutAccessToken,
} from '@trunkline/protocol';
import type { Exchange } from '../../ports/exchange.ts';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { Upgrade } from '../../ports/upgrade.ts';
import type { HubDirectory } from '../hub-directory.ts';
import { noted } from '../refusals.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import {
  BUSY,
  DRAINING,
  IN_USE,
  json,
  NO_ID,
  notServed,
  text,
  TRANSPORT_CHANGED,
  UNKNOWN_ID,
} from './answers.ts';
import { Capacity } from './capacity.ts';
import type { ClientContext } from './client-context.ts';
import { ClientSession } from './client-session.ts';
import type { Elsewhere } from './elsewhere.ts';
import { SENT_ON } from './elsewhere.ts';
import {
  mintConnectionToken,
  requestedConnection,
  verifyConnectionToken,
} from '../connection-token.ts';
import type { Grant } from './negotiated.ts';
import { CONNECT_WITHIN_MS, NegotiatedIds } from './negotiated.ts';
import type { Introduction } from '../introduction.ts';
import {
  MAX_INTRODUCTION_LENGTH,
  introductionLength,
  visibleHeaders,
  visibleQuery,
} from '../introduction.ts';
import { signInEnd } from '../sign-in.ts';
import type { Transport } from '../transport.ts';
import { TRANSPORTS } from '../transport.ts';
import type { Provenance, Visitor } from './visitor.ts';
import { Visitors } from './visitor.ts';

/** An id that a request names, and what it is to this edge. */
export interface Named {
  readonly id: string;
  readonly grant: Grant;
  /** Given out, and not connected with yet. */
  readonly pending: boolean;
  /** The transport of the connection that has it. */
  readonly transport: Transport | undefined;
}

/** The clients' door: who may come in, under which id. */
export class ClientAdmission {
  readonly #context: ClientContext;
  readonly #tokens: TokenVerifier;
  readonly #visitors: Visitors;
  readonly #hubs: HubDirectory;
  readonly #negotiated: NegotiatedIds;
  readonly #capacity: Capacity;
  readonly #elsewhere: Elsewhere;

  constructor(
    context: ClientContext,
    tokens: TokenVerifier,
    hubs: HubDirectory,
    provenance: Provenance,
    elsewhere: Elsewhere,
  ) {
    this.#context = context;
    this.#tokens = tokens;
    this.#visitors = new Visitors(tokens, provenance, context.counters);
    this.#hubs = hubs;
    this.#negotiated = new NegotiatedIds((id) => context.clients.release(id), context.pools);
    this.#capacity = new Capacity(context);
    this.#elsewhere = elsewhere;
  }

  /** `POST /client/negotiate`: an id, and the token to connect with; or the URL of another edge. */
  negotiate(request: HttpRequest, exchange: Exchange): void {
    exchange.answer(noted(this.#context, request, this.#negotiate(request)));
  }

  /** A WebSocket at `/client/`, with the `id` of a negotiate or without (section 2.1). */
  connect(request: HttpRequest, upgrade: Upgrade): void {
    const visitor = this.visitor(request);
    const verdict =
      'status' in visitor ? visitor : this.admit(visitor, request, TRANSPORTS.webSockets);
    if ('status' in verdict) upgrade.refuse(noted(this.#context, request, verdict));
    else upgrade.accept(verdict);
  }

  #negotiate(request: HttpRequest): HttpAnswer {
    const { negotiates } = this.#context.counters;
    const visitor = this.visitor(request);
    if ('status' in visitor) {
      negotiates.add(visitor.status === 401 ? 'unauthorized' : 'bad_request');
      return visitor;
    }
    const version = negotiateVersion(askedVersion(request.query));
    if (typeof version !== 'number') {
      negotiates.add('bad_request');
      return { ...json(version), why: 'negotiate_version' };
    }
    const sentOn = this.#sendOn(visitor, request);
    if (sentOn !== undefined) return sentOn;
    const offer = this.#offer(visitor, version);
    negotiates.add(offer === undefined ? 'unavailable' : 'ok');
    return offer === undefined ? BUSY : json(offer);
  }

  /**
   * What a client is answered that is not to come here: once in its way the URL of a better edge, where it
   * negotiates again with the same token and query.
   */
  #sendOn({ hub, accessToken, claims }: Visitor, { query }: HttpRequest): HttpAnswer | undefined {
    const { counters } = this.#context;
    const isSent = queryValue(query, SENT_ON) !== undefined;
    const better = isSent ? undefined : this.#elsewhere.better(hub, claims);
    if (better !== undefined) {
      counters.negotiates.add('redirected');
      const url = `${better.replace(/\/?$/, '/')}client/?${withoutAccessToken(query)}&${SENT_ON}=1`;
      return json(redirectAnswer(url, accessToken));
    }
    if (!this.#elsewhere.isDraining) return undefined;
    counters.negotiates.add('unavailable');
    return this.#draining();
  }

  #draining(): HttpAnswer {
    this.#context.counters.refusals.add('draining');
    return DRAINING;
  }

  /** Who sends the request, or why it is refused. */
  visitor(request: HttpRequest): Visitor | HttpAnswer {
    return this.#visitors.read(request);
  }

  /** The session of a new client connection; its id is used up. */
  admit(visitor: Visitor, request: HttpRequest, transport: Transport): ClientSession | HttpAnswer {
    const { hub, tokenPayload, claims } = visitor;
    const { limits } = this.#context;
    if (this.#elsewhere.isDraining) return this.#draining();
    if ((claims.transports & limits.transports & TRANSPORT_BITS[transport.name]) === 0) {
      return notServed(transport.name);
    }
    const introduction: Introduction = {
      tokenPayload,
      headers: visibleHeaders(request.headers, visitor.source),
      queryString: visibleQuery(request.query),
      ...(claims.diagnostic && { diagnostic: true }),
    };
    if (introductionLength(introduction) > MAX_INTRODUCTION_LENGTH) {
      this.#context.counters.refusals.add('introduction_bytes');
      return text(
        431,
        `Token, headers and query are over ${MAX_INTRODUCTION_LENGTH} characters.`,
        'introduction_bytes',
      );
    }
    const runtime = this.#hubs.open(hub, 'client');
    if (runtime === undefined) return BUSY;
    const claimed = this.#claim(visitor, request, transport);
    if ('status' in claimed) return claimed;
    const { userId, handshakeTimeoutSeconds, sticky, serverName } = claims;
    const identity = {
      ...claimed,
      userId,
      hub: runtime,
      transport,
      introduction,
      affinity: sticky === 'Disabled' ? ANYWHERE : { sticky, serverName },
      handshakeMs: handshakeTimeoutSeconds * 1000,
      expiresAt: signInEnd(claims),
    };
    return new ClientSession(identity, this.#context);
  }

  /** What the `id` of a request is to this edge: unknown too if it is not the visitor's. */
  named(visitor: Visitor, request: HttpRequest): Named | HttpAnswer {
    const token = requestedConnection(request);
    if (token === undefined) return NO_ID;
    const { hub, claims } = visitor;
    const { userId } = claims;
    // Negotiate version 0 has no token: the id alone must do.
    const version = token.includes('.') ? 1 : 0;
    const id =
      version === 0 ? token : verifyConnectionToken(token, hub, userId, this.#tokens.keys)?.id;
    if (id === undefined) return UNKNOWN_ID;
    const grant = { version, hub, userId };
    const pending = this.#negotiated.has(id, grant, this.#context.time.now());
    if (pending) return { id, grant, pending, transport: undefined };
    const live = this.#context.clients.get(id);
    if (live?.hub.name !== hub || live.userId !== userId) return UNKNOWN_ID;
    return { id, grant, pending, transport: live.transport };
  }

  /** Keeps what is posted to a pending id. False when there is too much of it. */
  keepEarly(id: string, bytes: Buffer): boolean {
    return this.#negotiated.keepEarly(id, bytes);
  }

  /** Gives back the ids of negotiates that nobody followed up. */
  expire(now: number): void {
    this.#negotiated.expire(now);
  }

  /** Undefined when too many ids are out already, all in all or for this user. */
  #offer({ hub, claims, owner }: Visitor, version: number): NegotiateAnswer | undefined {
    if (!this.#negotiated.reserve(owner)) return undefined;
    const connectionId = this.#capacity.reserve();
    if (connectionId === undefined) {
      this.#negotiated.unreserve(owner);
      return undefined;
    }
    const { time, limits } = this.#context;
    const { userId } = claims;
    this.#negotiated.add(connectionId, owner, { version, hub, userId }, time.now());
    const connectBy = Math.ceil(time.unixSeconds()) + CONNECT_WITHIN_MS / 1000;
    const grant = { id: connectionId, hub, userId, connectBy };
    const token = mintConnectionToken(grant, this.#tokens.keys.first);
    const transports = transportsFor(claims.transports & limits.transports);
    return negotiateAnswer({ version, connectionId, connectionToken: token, transports });
  }

  /** The negotiated id, used up so that nobody can connect with it again, or a new one. */
  #claim(visitor: Visitor, request: HttpRequest, transport: Transport): Claimed | HttpAnswer {
    if (transport === TRANSPORTS.webSockets && requestedConnection(request) === undefined) {
      const id = this.#capacity.reserve();
      return id === undefined ? BUSY : { id, early: undefined };
    }
    const named = this.named(visitor, request);
    if ('status' in named) return named;
    const { id, grant, pending } = named;
    if (pending && !this.#capacity.hasSocket()) return BUSY;
    const claim = this.#negotiated.claim(id, grant, this.#context.time.now());
    if (claim !== undefined) return { id, early: claim.early };
    return named.transport === transport ? IN_USE : TRANSPORT_CHANGED;
  }
}

interface Claimed {
  readonly id: string;
  readonly early: Buffer | undefined;
}

/** Most clients do not stick: they share one object. */
const ANYWHERE = { sticky: 'Disabled', serverName: undefined } as const;

/** ASP.NET looks query keys up ignoring case. */
function askedVersion(query: string): string | null {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name.toLowerCase() === 'negotiateversion') return value;
  }
  return null;
}
