import type { Exchange } from '../../../ports/exchange.ts';
import { CLIENT_CLOSE_REASONS } from '../../close-reason.ts';
import type { HttpClient } from './http-client.ts';

/** How long a post may wait for an app server to read on. */
const WAIT_MS = 20_000;

interface Post {
  readonly body: Buffer;
  readonly exchange: Exchange;
  deadline: number;
}

/**
 * Posts whose server connection is full: unlike a WebSocket, a client that posts can be made to
 * wait, by not answering. How many there can be at a time is up to the listener.
 */
export class HeldPosts {
  /** By client, in the order they came. */
  readonly #posts = new Map<HttpClient, Post[]>();

  has(client: HttpClient): boolean {
    return this.#posts.has(client);
  }

  add(client: HttpClient, body: Buffer, exchange: Exchange, now: number): void {
    const post = { body, exchange, deadline: now + WAIT_MS };
    const before = this.#posts.get(client);
    if (before === undefined) this.#posts.set(client, [post]);
    else before.push(post);
    const gone = (): void => this.#drop(client, post);
    exchange.handler = { gone, drained() {} };
  }

  /** Passes on posts whose host has room again, and answers those whose client has ended. */
  resume(now: number): void {
    for (const [client, posts] of this.#posts) {
      const { session } = client;
      if (session.isOpen && !session.hasRoom && now >= posts[0]!.deadline) {
        session.close(CLIENT_CLOSE_REASONS.slowAppServer);
      }
      while (posts.length > 0 && (session.hasRoom || !session.isOpen)) {
        // It is no longer held when it is passed on: that may end clients, and so bring room, and this again.
        const { body, exchange } = posts.shift()!;
        client.take(body, exchange);
      }
      if (posts.length === 0) this.#posts.delete(client);
    }
  }

  /** `late`: how long this edge itself slept, for which no app server is to blame. */
  expire(now: number, late: number): void {
    for (const posts of this.#posts.values()) {
      for (const post of posts) post.deadline += late;
    }
    this.resume(now);
  }

  #drop(client: HttpClient, post: Post): void {
    const posts = this.#posts.get(client);
    const at = posts?.indexOf(post) ?? -1;
    if (at < 0) return;
    posts!.splice(at, 1);
    if (posts!.length === 0) this.#posts.delete(client);
  }
}
