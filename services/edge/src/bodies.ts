import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { Pools } from './pools.ts';
import type { BodyExchange } from './ports/exchange.ts';
import type { HttpAnswer, PassedPost, Post } from './ports/listener.ts';

/** What is counted of posts, for metrics. */
export interface BodyCounters {
  readonly refusals: { add(reason: 'request_bytes'): void };
}

/** Takes the next piece of a body; the bytes are lent for the call. */
export type ReadPiece = (piece: Uint8Array, isLast: boolean) => void;

type AnyPost = Post | PassedPost;

interface Reading {
  readonly post: AnyPost;
  readonly exchange: BodyExchange;
}

const TRY_LATER: HttpAnswer = { status: 503, headers: { 'retry-after': '1' } };

/**
 * Reads the bodies of posts, whether a client sends them here or another edge passes them on, within
 * bounds for each, for each connection and owner, and for all of them together. What is refused is
 * still let come, unread, for some seconds: a client that is cut off while it sends would never see why.
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

  /**
   * What takes the body, and hands it to `post` unless `exchange` is over by then. Undefined, and the
   * exchange answered, where there is no room.
   */
  open(post: AnyPost, exchange: BodyExchange): ReadPiece | undefined {
    if (!this.#reserve(post)) {
      giveUp(exchange, TRY_LATER);
      return undefined;
    }
    const pieces: Buffer[] = [];
    let length = 0;
    let held = 0;
    const reading = { post, exchange };
    this.#readings.add(reading);
    const give = (bytes: number): void => {
      if (!this.#readings.has(reading)) return;
      held -= bytes;
      this.#bytes.give(post.owner, bytes);
    };
    exchange.over = () => {
      give(held);
      this.#readings.delete(reading);
      this.#release(post);
      for (const piece of pieces.splice(0)) discard(piece);
    };
    return (lent, isLast) => {
      if (!exchange.isOpen) return;
      const bytes = lent.byteLength;
      if (length + bytes > this.#bodyBytes) return giveUp(exchange, this.#tooLong());
      if (!this.#bytes.take(post.owner, bytes)) return giveUp(exchange, TRY_LATER);
      length += bytes;
      held += bytes;
      // Whoever brought the piece takes it back when this returns.
      const piece = Buffer.from(lent);
      if ('pass' in post) return post.pass(piece, isLast, () => give(bytes));
      pieces.push(piece);
      if (isLast) post.take(joined(pieces));
    };
  }

  #reserve({ client, owner }: AnyPost): boolean {
    if (!this.#posts.take(client, 1)) return false;
    if (this.#postsOfUser.take(owner, 1)) return true;
    this.#posts.give(client, 1);
    return false;
  }

  #release({ client, owner }: AnyPost): void {
    this.#posts.give(client, 1);
    this.#postsOfUser.give(owner, 1);
  }

  #evict(which: (post: AnyPost) => boolean): void {
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

/** The whole of a body, which nothing else has a part in; its pieces are given back. */
function joined(pieces: Buffer[]): Buffer {
  const [only] = pieces;
  const whole = pieces.length === 1 ? only! : Buffer.concat(pieces);
  for (const piece of pieces.splice(0)) if (piece !== whole) discard(piece);
  return whole;
}

/** Answers in the place of the door, which may be waiting to answer itself. */
function giveUp(exchange: BodyExchange, answer: HttpAnswer): void {
  exchange.handler?.gone();
  exchange.answer(answer);
}
