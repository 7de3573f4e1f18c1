import type { HttpResponse } from 'uWebSockets.js';
import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { PoolName, Pools } from '../pools.ts';
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

/** What bodies of one kind may take. */
export interface BodyRules {
  /** Of one body, at most. */
  readonly bytes: number;
  /** Posts in flight, by the id of their connection. */
  readonly postsOfClient?: PoolName;
  /** Posts in flight, and bytes of their bodies, by owner. */
  readonly postsOfOwner: PoolName;
  readonly bytesOfOwner: PoolName;
  /** Until when a post counts: until it is answered, or until its body has been taken. */
  readonly until: 'answered' | 'taken';
}

/**
 * Reads the bodies of posts, within bounds for each, for each connection and owner, and for all of
 * them together. What is refused is still let come, unread, for some seconds: a client that
 * is cut off while it sends would never see why.
 */
export class Bodies {
  readonly #rules: BodyRules;
  readonly #counters: BodyCounters;
  readonly #postsOfClient: Budget<string> | undefined;
  readonly #postsOfOwner: Budget<string>;
  readonly #bytes: Budget<string>;
  /** Posts that count, their bodies whole or not. */
  readonly #readings = new Set<Reading>();

  constructor(rules: BodyRules, counters: BodyCounters, pools: Pools) {
    this.#rules = rules;
    this.#counters = counters;
    const { postsOfClient } = rules;
    const evictOwner = (owner: string): void => this.#evict((post) => post.owner === owner);
    this.#postsOfClient =
      postsOfClient && pools.open(postsOfClient, (id) => this.#evict((post) => post.client === id));
    this.#postsOfOwner = pools.open(rules.postsOfOwner, evictOwner);
    this.#bytes = pools.open(rules.bytesOfOwner, evictOwner);
  }

  /** Gives the body to `post` once it is whole, unless `exchange` is over by then. */
  read(res: HttpResponse, post: Post, exchange: UwsExchange): void {
    if (!this.#reserve(post)) return giveUp(exchange, post, TRY_LATER);
    const chunks: Buffer[] = [];
    let length = 0;
    const reading = { post, exchange };
    this.#readings.add(reading);
    const release = (): void => {
      if (!this.#readings.delete(reading)) return;
      this.#release(post);
      this.#bytes.give(post.owner, length);
      for (const chunk of chunks.splice(0)) discard(chunk);
    };
    exchange.over = release;
    res.onData((chunk, isLast) => {
      if (!exchange.isOpen) return;
      if (length + chunk.byteLength > this.#rules.bytes) {
        return giveUp(exchange, post, this.#tooLong());
      }
      if (!this.#bytes.take(post.owner, chunk.byteLength)) {
        return giveUp(exchange, post, TRY_LATER);
      }
      length += chunk.byteLength;
      // The chunk is taken back when this returns.
      chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (!isLast) return;
      const body = joined(chunks);
      if (this.#rules.until === 'taken') release();
      post.take(body);
    });
  }

  #reserve({ client, owner }: Post): boolean {
    if (this.#postsOfClient?.take(client, 1) === false) return false;
    if (this.#postsOfOwner.take(owner, 1)) return true;
    this.#postsOfClient?.give(client, 1);
    return false;
  }

  #release({ client, owner }: Post): void {
    this.#postsOfClient?.give(client, 1);
    this.#postsOfOwner.give(owner, 1);
  }

  #evict(which: (post: Post) => boolean): void {
    for (const { post, exchange } of this.#readings) {
      if (which(post)) giveUp(exchange, post, TRY_LATER);
    }
  }

  #tooLong(): HttpAnswer {
    this.#counters.refusals.add('request_bytes');
    const body = `A post may have ${this.#rules.bytes} bytes at most.`;
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
function giveUp(exchange: UwsExchange, post: Post, answer: HttpAnswer): void {
  const said = post.refused?.(answer) ?? answer;
  exchange.handler?.gone();
  exchange.answer(said);
}
