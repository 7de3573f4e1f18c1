import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '../../../ports/exchange.ts';
import type { ClientSession } from '../client-session.ts';
import { GONE, POSTED } from '../answers.ts';
import type { EventStream } from './event-stream.ts';
import type { HeldPosts } from './held-posts.ts';
import type { LongPoll } from './long-poll.ts';

/** What the first request of a connection brought, and every later one must bring too. */
interface Credentials {
  readonly connectionToken: string;
  readonly accessToken: string;
  /** Whose share the client's posts count against: see `Visitor`. */
  readonly owner: string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A client connection over HTTP requests: what its later requests find. */
export class HttpClient {
  readonly session: ClientSession;
  readonly transport: EventStream | LongPoll;
  /** Whose share its posts count against. */
  readonly owner: string;
  readonly #heldPosts: HeldPosts;
  readonly #connectionToken: Buffer;
  readonly #accessToken: Buffer;
  /** The latest access token that a later request brought, if it was another one. */
  #renewedToken: Buffer | undefined;

  constructor(
    session: ClientSession,
    transport: EventStream | LongPoll,
    credentials: Credentials,
    heldPosts: HeldPosts,
  ) {
    this.session = session;
    this.transport = transport;
    this.owner = credentials.owner;
    this.#heldPosts = heldPosts;
    this.#connectionToken = digest(credentials.connectionToken);
    this.#accessToken = digest(credentials.accessToken);
  }

  hasConnectionToken(token: string): boolean {
    return timingSafeEqual(digest(token), this.#connectionToken);
  }

  /**
   * The access token that the client was let in with is good for as long as the connection lives,
   * expired or not: most clients cannot renew it, and on a WebSocket it is not asked for again either.
   * So is the latest one that a refresh of the sign-in has given it.
   */
  hasAccessToken(token: string): boolean {
    const given = digest(token);
    if (timingSafeEqual(given, this.#accessToken)) return true;
    return this.#renewedToken !== undefined && timingSafeEqual(given, this.#renewedToken);
  }

  /** The client has brought another good token of its user, as a refresh of the sign-in gives. */
  renewAccessToken(token: string): void {
    this.#renewedToken = digest(token);
  }

  /** Hub messages of the client; answered once they are on their way. */
  post(body: Buffer, exchange: Exchange, now: number): void {
    if (this.#heldPosts.has(this) || !this.session.hasRoom) {
      this.#heldPosts.add(this, body, exchange, now);
    } else {
      this.take(body, exchange);
    }
  }

  /** Passes a post on, whether there is room or not. */
  take(body: Buffer, exchange: Exchange): void {
    if (!this.session.isOpen) return exchange.answer(GONE);
    this.session.received(body);
    exchange.answer(POSTED);
  }
}
