import { CONNECTION_ID_LENGTH, tagOf } from '../model/connection-id.ts';
import type { Exchange } from '../ports/exchange.ts';
import { asksForEvents, type HttpRequest, type PassedPost, type Post } from '../ports/listener.ts';
import type { ClientAdmission } from '../sessions/client/admission.ts';
import { BUSY, DRAINING } from '../sessions/client/answers.ts';
import { requestedConnection } from '../sessions/connection-token.ts';
import type { EdgeContext } from '../sessions/edge-context.ts';
import { noted } from '../sessions/refusals.ts';
import type { RelayKind } from './cluster-stats.ts';
import type { Relay } from './relay.ts';
import type { HttpDoors, Relays } from './relays.ts';

export interface RelayDoorOptions {
  readonly context: EdgeContext;
  /** For connections of this edge, and for ids that no edge is known to mint. */
  readonly here: HttpDoors;
  readonly relays: Relays;
  /** The edge that mints ids with that tag, if it is there and is another one. */
  readonly homeOf: (tag: string) => string | undefined;
  readonly admission: ClientAdmission;
}

/** The connection that a request is for, and the other edge which has that. */
interface Destination {
  readonly id: string;
  readonly edgeId: string;
}

/**
 * The door of clients that come by requests, where there are several edges: a request for a connection of
 * another edge, as its id says, goes there, and nothing of it is decided here.
 */
export class RelayDoor implements HttpDoors {
  readonly #options: RelayDoorOptions;

  constructor(options: RelayDoorOptions) {
    this.#options = options;
  }

  receive(request: HttpRequest, exchange: Exchange): void {
    const destination = this.#destination(request);
    if (destination === undefined) return this.#options.here.receive(request, exchange);
    const streams = asksForEvents(request);
    const { context } = this.#options;
    // It would be cut when this edge ends.
    if (streams && context.isDraining) return exchange.answer(noted(context, request, DRAINING));
    this.#start(streams ? 'stream' : 'poll', destination, request, exchange);
  }

  send(request: HttpRequest, exchange: Exchange): Post | PassedPost | undefined {
    const destination = this.#destination(request);
    if (destination === undefined) return this.#options.here.send(request, exchange);
    const relay = this.#start('post', destination, request, exchange);
    if (relay === undefined) return undefined;
    const { time } = this.#options.context;
    const pass: PassedPost['pass'] = (piece, isLast, passed) =>
      relay.pass(piece, isLast, time.now(), passed);
    return { client: destination.id, owner: relay.owner, pass };
  }

  leave(request: HttpRequest, exchange: Exchange): void {
    const destination = this.#destination(request);
    if (destination === undefined) return this.#options.here.leave(request, exchange);
    this.#start('leave', destination, request, exchange);
  }

  /** Undefined where the request is answered here. */
  #destination(request: HttpRequest): Destination | undefined {
    const id = requestedConnection(request)?.slice(0, CONNECTION_ID_LENGTH) ?? '';
    const tag = tagOf(id);
    const edgeId = tag === undefined ? undefined : this.#options.homeOf(tag);
    return edgeId === undefined ? undefined : { id, edgeId };
  }

  #start(
    kind: RelayKind,
    { edgeId }: Destination,
    request: HttpRequest,
    exchange: Exchange,
  ): Relay | undefined {
    const { context, relays, admission } = this.#options;
    const owner = admission.ownerOf(request);
    if (typeof owner !== 'string') {
      exchange.answer(noted(context, request, owner));
      return undefined;
    }
    const relay = relays.start(kind, edgeId, owner, request, exchange);
    if (relay === undefined) exchange.answer(noted(context, request, BUSY));
    return relay;
  }
}
