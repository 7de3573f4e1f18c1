import type { HttpResponse } from 'uWebSockets.js';
import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { Pools } from '../pools.ts';
import type { HttpAnswer, Post } from '../ports/listener.ts';
import type { UwsExchange } from './uws-exchange.ts';

/** What is counted of posts, for metrics. */
export interface BodyCounters {
  readonly refusals: { add(reason: 'request_bytes'): void };
}

interface Reading {
  readonly post: Post;
  readonly exchange: UwsExchange;
}

const TRY_LATER: HttpAnswer = { status: 503, headers: { 'retry-after': '1' } };

/**
 * Reads the bodies of posts, within bounds for each, for each connection and owner, and for all of
 * them together. What is refused is still let come, unread, for some seconds: a client that
 * is cut off while it sends would never see why.
 */
export class Bodies {
  readonly #bodyBytes: number;
  readonly #counters: BodyCounters;
  /** Posts in flight by the id of their connection, and by owner; bytes of bodies by owner. */
  readonly #posts: Budget<string>;
  readonly #postsOfUser: Budget<string>;
  readonly #bytes: Budget<string>;
  /** Posts that have not been answered, their bodies whole or not. */
  readonly #readings = new Set<Reading>();

  /** `bodyBytes`: of one body, at most. */
  constructor(bodyBytes: number, counters: BodyCounters, pools: Pools) {
    this.#bodyBytes = bodyBytes;
    this.#counters = counters;
    const evictOwner = (owner: string): void => this.#evict((post) => post.owner === owner);
    this.#posts = pools.open('posts', (id) => this.#evict((post) => post.client === id));
    this.#postsOfUser = pools.open('posts_of_user', evictOwner);
    this.#bytes = pools.open('post_bytes', evictOwner);
  }

  /** Gives the body to `post` once it is whole, unless `exchange` is over by then. */
  read(res: HttpResponse, post: Post, exchange: UwsExchange): void {
    if (!this.#reserve(post)) return giveUp(exchange, TRY_LATER);
    const chunks: Buffer[] = [];
    let length = 0;
    const reading = { post, exchange };
    this.#readings.add(reading);
    exchange.over = () => {
      this.#readings.delete(reading);
      this.#release(post);
      this.#bytes.give(post.owner, length);
      for (const chunk of chunks.splice(0)) discard(chunk);
    };
    res.onData((chunk, isLast) => {
      if (!exchange.isOpen) return;
      if (length + chunk.byteLength > this.#bodyBytes) return giveUp(exchange, this.#tooLong());
      if (!this.#bytes.take(post.owner, chunk.byteLength)) return giveUp(exchange, TRY_LATER);
      length += chunk.byteLength;
      // The chunk is taken back when this returns.
      chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (isLast) post.take(joined(chunks));
    });
  }

  #reserve({ client, owner }: Post): boolean {
    if (!this.#posts.take(client, 1)) return false;
    if (this.#postsOfUser.take(owner, 1)) return true;
    this.#posts.give(client, 1);
    return false;
  }

  #release({ client, owner }: Post): void {
    this.#posts.give(client, 1);
    this.#postsOfUser.give(owner, 1);
  }

  #evict(which: (post: Post) => boolean): void {
    for (const { post, exchange } of this.#readings) {
      if (which(post)) giveUp(exchange, TRY_LATER);
    }
  }

  #tooLong(): HttpAnswer {
    this.#counters.refusals.add('request_bytes');
    const body = `A post may have ${this.#bodyBytes} bytes at most.`;
    return { status: 413, headers: { 'content-type': 'text/plain' }, body };
  }
}

/** The whole of a body, which nothing else has a part in; its chunks are given back. */
function joined(chunks: Buffer[]): Buffer {
  const [only] = chunks;
  const whole = chunks.length === 1 ? only! : Buffer.concat(chunks);
  for (const chunk of chunks.splice(0)) if (chunk !== whole) discard(chunk);
  return whole;
}

/** Answers in the place of the door, which may be waiting to answer itself. */
function giveUp(exchange: UwsExchange, answer: HttpAnswer): void {
  exchange.handler?.gone();
  exchange.answer(answer);
}
