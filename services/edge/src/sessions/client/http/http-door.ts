import { CONNECTION_ID_LENGTH } from '../../../model/connection-id.ts';
import type { Exchange } from '../../../ports/exchange.ts';
import {
  asksForEvents,
  type HttpAnswer,
  type HttpRequest,
  type Post,
} from '../../../ports/listener.ts';
import { CLIENT_CLOSE_REASONS } from '../../close-reason.ts';
import type { EdgeContext } from '../../edge-context.ts';
import { noted } from '../../refusals.ts';
import { requestToken } from '../../token-verifier.ts';
import type { ClientAdmission } from '../admission.ts';
import {
  GONE,
  IN_USE,
  LEFT,
  NO_POSTS,
  NOT_POLLING,
  POSTED,
  TRANSPORT_CHANGED,
  UNKNOWN_ID,
} from '../answers.ts';
import type { ClientSession } from '../client-session.ts';
import { requestedConnection } from '../../connection-token.ts';
import { TRANSPORTS } from '../../transport.ts';
import { EventStream } from './event-stream.ts';
import type { HeldPosts } from './held-posts.ts';
import { HttpClient } from './http-client.ts';
import { LongPoll } from './long-poll.ts';

/** How long a client may be without a poll where its token does not say (section 7.3). */
const IDLE_SECONDS = 5;

/**
 * Clients that come by requests: each finds the connection it belongs to, or makes it. Statuses and
 * bodies are those of client protocols reference, section 2.0.
 */
export class HttpDoor {
  readonly #context: EdgeContext;
  readonly #admission: ClientAdmission;
  readonly #heldPosts: HeldPosts;
  readonly #clients = new Map<string, HttpClient>();

  constructor(context: EdgeContext, admission: ClientAdmission, heldPosts: HeldPosts) {
    this.#context = context;
    this.#admission = admission;
    this.#heldPosts = heldPosts;
  }

  /** `GET /client/`: an event stream if the request accepts one, else a poll. */
  receive(request: HttpRequest, exchange: Exchange): void {
    const streams = asksForEvents(request);
    const client = this.#find(request);
    if (client === undefined) return this.#admit(request, exchange, streams);
    if ('status' in client) return this.#answer(request, exchange, client);
    const { transport } = client;
    const polls = transport instanceof LongPoll;
    if (polls && !streams) return transport.poll(exchange);
    this.#answer(request, exchange, polls === streams ? TRANSPORT_CHANGED : IN_USE);
  }

  /** `POST /client/`: hub messages. The connection may be made, or end, while the body comes in. */
  send(request: HttpRequest, exchange: Exchange): Post | undefined {
    const addressee = this.#addressee(request);
    if ('status' in addressee) {
      this.#answer(request, exchange, addressee);
      return undefined;
    }
    const { client: id, owner } = addressee;
    const take = (body: Buffer): void => {
      const client = this.#clients.get(id);
      if (client !== undefined) client.post(body, exchange, this.#context.time.now());
      else if (this.#admission.keepEarly(id, body)) exchange.answer(POSTED);
      else exchange.answer(GONE);
    };
    return { client: id, owner, take };
  }

  /** `DELETE /client/`: the end of a client that polls. */
  leave(request: HttpRequest, exchange: Exchange): void {
    this.#answer(request, exchange, this.#leave(request));
  }

  /** Whom a post is for, and whom it counts as; or why it is for nobody. */
  #addressee(request: HttpRequest): Omit<Post, 'take'> | HttpAnswer {
    const client = this.#find(request);
    if (client !== undefined) {
      return 'status' in client ? client : { client: client.session.id, owner: client.owner };
    }
    const visitor = this.#admission.visitor(request);
    if ('status' in visitor) return visitor;
    const named = this.#admission.named(visitor, request);
    if ('status' in named) return named;
    return named.pending ? { client: named.id, owner: visitor.owner } : NO_POSTS;
  }

  #leave(request: HttpRequest): HttpAnswer {
    const client = this.#find(request);
    if (client === undefined) {
      const visitor = this.#admission.visitor(request);
      if ('status' in visitor) return visitor;
      const named = this.#admission.named(visitor, request);
      return 'status' in named ? named : NOT_POLLING;
    }
    if ('status' in client) return client;
    if (!(client.transport instanceof LongPoll)) return NOT_POLLING;
    client.transport.leave();
    return LEFT;
  }

  /** Ends polls that have hung long enough, and clients that have not polled for too long. */
  expire(now: number, late: number): void {
    for (const { transport, session } of this.#clients.values()) {
      if (!(transport instanceof LongPoll) || !transport.isIdle(now, late)) continue;
      if (session.isOpen) session.close(CLIENT_CLOSE_REASONS.pollTimeout);
      else transport.leave();
    }
  }

  /** The connection that a request belongs to; an answer when the request may not have it. */
  #find(request: HttpRequest): HttpClient | HttpAnswer | undefined {
    const token = requestedConnection(request);
    if (token === undefined) return undefined;
    const client = this.#clients.get(token.slice(0, CONNECTION_ID_LENGTH));
    if (client === undefined) return undefined;
    if (client.hasAccessToken(requestToken(request))) {
      return client.hasConnectionToken(token) ? client : UNKNOWN_ID;
    }
    const visitor = this.#admission.visitor(request);
    if ('status' in visitor) return visitor;
    const { hub, userId } = client.session;
    if (visitor.hub !== hub.name || visitor.claims.userId !== userId) return UNKNOWN_ID;
    if (!client.hasConnectionToken(token)) return UNKNOWN_ID;
    client.renewAccessToken(visitor.accessToken);
    return client;
  }

  #answer(request: HttpRequest, exchange: Exchange, answer: HttpAnswer): void {
    exchange.answer(noted(this.#context, request, answer));
  }

  #admit(request: HttpRequest, exchange: Exchange, streams: boolean): void {
    const visitor = this.#admission.visitor(request);
    if ('status' in visitor) return this.#answer(request, exchange, visitor);
    const kind = streams ? TRANSPORTS.serverSentEvents : TRANSPORTS.longPolling;
    const session = this.#admission.admit(visitor, request, kind);
    if ('status' in session) return this.#answer(request, exchange, session);
    const idleSeconds = visitor.claims.pollIntervalSeconds ?? IDLE_SECONDS;
    const transport = this.#transport(session, exchange, streams, idleSeconds);
    const credentials = {
      connectionToken: requestedConnection(request)!,
      accessToken: visitor.accessToken,
      owner: visitor.owner,
    };
    const client = new HttpClient(session, transport, credentials, this.#heldPosts);
    this.#clients.set(session.id, client);
    session.opened(transport);
  }

  #transport(
    session: ClientSession,
    exchange: Exchange,
    streams: boolean,
    idleSeconds: number,
  ): EventStream | LongPoll {
    const { time, flusher, limits } = this.#context;
    const options = {
      handler: session,
      time,
      flusher,
      queueBytes: limits.clientQueueBytes,
      forgotten: () => void this.#clients.delete(session.id),
    };
    if (streams) return new EventStream(exchange, options);
    const times = { hangMs: limits.pollMs, idleMs: idleSeconds * 1000 };
    return new LongPoll(exchange, { ...options, ...times });
  }
}
