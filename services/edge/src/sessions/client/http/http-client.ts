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
  /** Whom they are of: see `Visitor`. */
  readonly owner: string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A client connection over HTTP requests, as the later ones of them find it. */
export class HttpClient {
  readonly session: ClientSession;
  readonly transport: EventStream | LongPoll;
  /** Whose share its posts are of. */
  readonly owner: string;
  readonly #heldPosts: HeldPosts;
  readonly #connectionToken: Buffer;
  readonly #accessToken: Buffer;
  /** The latest of those that came later, if any did. */
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
   * The very token it was let in with is good for as long as the connection lives, expired or not:
   * most clients cannot renew it, and one on a WebSocket is not asked again either. So is the one
   * that it was given last.
   */
  hasAccessToken(token: string): boolean {
    const given = digest(token);
    if (timingSafeEqual(given, this.#accessToken)) return true;
    return this.#renewedToken !== undefined && timingSafeEqual(given, this.#renewedToken);
  }

  /** Another good token of the same user, as a refresh of the sign-in gives. */
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
