import type { NegotiateAnswer } from '@trunkline/protocol';
import {
  negotiateAnswer,
  negotiateVersion,
  queryValue,
  redirectAnswer,
  transportsFor,
  withoutAccessToken,
} from '@trunkline/protocol';
import { CONNECTION_ID_LENGTH, tagOf } from '../../model/connection-id.ts';
import type { Exchange } from '../../ports/exchange.ts';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { Upgrade } from '../../ports/upgrade.ts';
import type { Claim, ClaimRefusal, Granted, Home, Homes } from '../homes.ts';
import type { HubDirectory } from '../hub-directory.ts';
import { noted } from '../refusals.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import {
  BUSY,
  DRAINING,
  IN_USE,
  json,
  NO_ID,
  TRANSPORT_CHANGED,
  UNANSWERED,
  UNKNOWN_ID,
} from './answers.ts';
import { Capacity } from './capacity.ts';
import type { ClientContext } from './client-context.ts';
import type { ClientSession } from './client-session.ts';
import type { BetterFor } from './elsewhere.ts';
import { SENT_ON } from './elsewhere.ts';
import {
  mintConnectionToken,
  requestedConnection,
  verifyConnectionToken,
} from '../connection-token.ts';
import type { Grant } from './negotiated.ts';
import { CONNECT_WITHIN_MS, NegotiatedIds } from './negotiated.ts';
import type { Transport } from '../transport.ts';
import { TRANSPORTS } from '../transport.ts';
import type { Claimed } from './reception.ts';
import { Reception } from './reception.ts';
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
export class ClientAdmission implements Home {
  readonly #context: ClientContext;
  readonly #tokens: TokenVerifier;
  readonly #visitors: Visitors;
  readonly #reception: Reception;
  readonly #negotiated: NegotiatedIds;
  readonly #capacity: Capacity;
  readonly #homes: Homes;
  readonly #betterFor: BetterFor;

  constructor(
    context: ClientContext,
    hubs: HubDirectory,
    provenance: Provenance,
    homes: Homes,
    betterFor: BetterFor,
  ) {
    this.#context = context;
    this.#tokens = context.tokens;
    this.#visitors = new Visitors(context.tokens, provenance, context.counters);
    this.#reception = new Reception(context, hubs);
    this.#negotiated = new NegotiatedIds((id) => context.clients.release(id), context.pools);
    this.#capacity = new Capacity(context);
    this.#homes = homes;
    this.#betterFor = betterFor;
  }

  /** `POST /client/negotiate`: an id, and the token to connect with; or the URL of another edge. */
  negotiate(request: HttpRequest, exchange: Exchange): void {
    exchange.answer(noted(this.#context, request, this.#negotiate(request)));
  }

  /** A WebSocket at `/client/`, with the `id` of a negotiate or without (section 2.1). */
  connect(request: HttpRequest, upgrade: Upgrade): void {
    const visitor = this.visitor(request);
    if ('status' in visitor) return upgrade.refuse(noted(this.#context, request, visitor));
    const claim = this.#foreign(visitor, request);
    if (claim !== undefined) return this.#land(visitor, claim, request, upgrade);
    const verdict = this.admit(visitor, request, TRANSPORTS.webSockets);
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
    const better = isSent ? undefined : this.#betterFor(hub, claims);
    if (better !== undefined) {
      counters.negotiates.add('redirected');
      const url = `${better.replace(/\/?$/, '/')}client/?${withoutAccessToken(query)}&${SENT_ON}=1`;
      return json(redirectAnswer(url, accessToken));
    }
    if (!this.#context.isDraining) return undefined;
    counters.negotiates.add('unavailable');
    counters.refusals.add('draining');
    return DRAINING;
  }

  /** Who sends the request, or why it is refused. */
  visitor(request: HttpRequest): Visitor | HttpAnswer {
    return this.#visitors.read(request);
  }

  /** Whom a request counts as that another edge is to answer, or why no edge would take it. */
  ownerOf(request: HttpRequest): string | HttpAnswer {
    return this.#visitors.ownerOf(request);
  }

  /** The session of a new client connection; its id is used up. */
  admit(visitor: Visitor, request: HttpRequest, transport: Transport): ClientSession | HttpAnswer {
    const received = this.#reception.receive(visitor, request, transport);
    if ('status' in received) return received;
    const claimed = this.#claim(visitor, request, transport);
    return 'status' in claimed ? claimed : this.#reception.session(received, claimed);
  }

  giveUp(id: string, grant: Grant): Granted | Exclude<ClaimRefusal, 'unanswered'> {
    const { time, clients } = this.#context;
    const granted = this.#negotiated.claim(id, grant, time.now());
    if (granted !== undefined) {
      clients.release(id);
      return granted;
    }
    const live = clients.get(id);
    if (live?.hub.name !== grant.hub || live.userId !== grant.userId) return 'unknown';
    return live.transport === TRANSPORTS.webSockets ? 'in_use' : 'transport_changed';
  }

  usedUp(id: string): void {
    this.#negotiated.drop(id);
  }

  /** The claim that a WebSocket makes to an id of another edge; undefined for one without such an id. */
  #foreign(visitor: Visitor, request: HttpRequest): Claim | undefined {
    const token = requestedConnection(request);
    if (token === undefined || this.#homes.isAlone) return undefined;
    const { clients } = this.#context;
    const id = token.slice(0, CONNECTION_ID_LENGTH);
    const tag = tagOf(id);
    if (tag === undefined || tag === clients.tag || clients.get(id) !== undefined) return undefined;
    const brought = this.#brought(token, visitor);
    return brought?.id === id ? brought : undefined;
  }

  /** What the visitor's token says; of negotiate version 0 there is none, and the id alone must do. */
  #brought(token: string, { hub, claims: { userId }, owner }: Visitor): Claim | undefined {
    if (!token.includes('.')) return { id: token, version: 0, hub, userId, connectBy: 0, owner };
    const grant = verifyConnectionToken(token, hub, userId, this.#tokens.keys);
    return grant && { ...grant, version: 1, owner };
  }

  /** A WebSocket with an id of another edge waits until that one has given it up. */
  #land(visitor: Visitor, claim: Claim, request: HttpRequest, upgrade: Upgrade): void {
    const refuse = (answer: HttpAnswer): void =>
      upgrade.refuse(noted(this.#context, request, answer));
    const received = this.#reception.receive(visitor, request, TRANSPORTS.webSockets);
    if ('status' in received) return refuse(received);
    const { clients } = this.#context;
    const { id } = claim;
    if (clients.keeps(id)) return refuse(IN_USE);
    if (!this.#capacity.reserveFor(id)) return refuse(BUSY);
    let stop = (): void => {};
    upgrade.gone = () => {
      stop();
      clients.release(id);
    };
    stop = this.#homes.claim(claim, (verdict) => {
      if (typeof verdict !== 'string')
        return upgrade.accept(this.#reception.session(received, { id, ...verdict }));
      clients.release(id);
      refuse(REFUSALS[verdict]);
    });
  }

  /** What the `id` of a request is to this edge: unknown too if it is not the visitor's. */
  named(visitor: Visitor, request: HttpRequest): Named | HttpAnswer {
    const token = requestedConnection(request);
    if (token === undefined) return NO_ID;
    const brought = this.#brought(token, visitor);
    if (brought === undefined) return UNKNOWN_ID;
    const { id, version, hub, userId } = brought;
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

const REFUSALS: Readonly<Record<ClaimRefusal, HttpAnswer>> = {
  unknown: UNKNOWN_ID,
  in_use: IN_USE,
  transport_changed: TRANSPORT_CHANGED,
  unanswered: UNANSWERED,
};

/** ASP.NET looks query keys up ignoring case. */
function askedVersion(query: string): string | null {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name.toLowerCase() === 'negotiateversion') return value;
  }
  return null;
}
