import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { PoolName, Pools } from './pools.ts';
import type { BodyExchange } from './ports/exchange.ts';
import type { HttpAnswer, PassedPost, Post } from './ports/listener.ts';

/** What is counted of posts, for metrics. */
interface BodyCounters {
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

/** Of posts of clients; `bytes`: of one of them. */
export function bodiesOfClients(bytes: number): BodyRules {
  return {
    bytes,
    postsOfClient: 'posts',
    postsOfOwner: 'posts_of_user',
    bytesOfOwner: 'post_bytes',
    until: 'answered',
  };
}

/**
 * Reads the bodies of posts, whether a client sends them here or another edge passes them on, within
 * bounds for each, for each connection and owner, and for all of them together. What is refused is
 * still let come, unread, for some seconds: a client that is cut off while it sends would never see why.
 */
export class Bodies {
  readonly #rules: BodyRules;
  readonly #counters: BodyCounters | undefined;
  readonly #postsOfClient: Budget<string> | undefined;
  readonly #postsOfOwner: Budget<string>;
  readonly #bytes: Budget<string>;
  /** Posts that count, their bodies whole or not. */
  readonly #readings = new Set<Reading>();

  /** `counters`: none where whoever asks for the post counts how it was answered. */
  constructor(rules: BodyRules, counters: BodyCounters | undefined, pools: Pools) {
    this.#rules = rules;
    this.#counters = counters;
    const { postsOfClient } = rules;
    const evictOwner = (owner: string): void => this.#evict((post) => post.owner === owner);
    this.#postsOfClient =
      postsOfClient && pools.open(postsOfClient, (id) => this.#evict((post) => post.client === id));
    this.#postsOfOwner = pools.open(rules.postsOfOwner, evictOwner);
    this.#bytes = pools.open(rules.bytesOfOwner, evictOwner);
  }

  /**
   * What takes the body, and hands it to `post` unless `exchange` is over by then. Undefined, and the
   * exchange answered, where there is no room.
   */
  open(post: AnyPost, exchange: BodyExchange): ReadPiece | undefined {
    if (!this.#reserve(post)) {
      giveUp(exchange, post, TRY_LATER);
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
    const release = (): void => {
      if (!this.#readings.has(reading)) return;
      give(held);
      this.#readings.delete(reading);
      this.#release(post);
      for (const piece of pieces.splice(0)) discard(piece);
    };
    exchange.over = release;
    return (lent, isLast) => {
      if (!exchange.isOpen) return;
      const bytes = lent.byteLength;
      if (length + bytes > this.#rules.bytes) return giveUp(exchange, post, this.#tooLong());
      if (!this.#bytes.take(post.owner, bytes)) return giveUp(exchange, post, TRY_LATER);
      length += bytes;
      held += bytes;
      // Whoever brought the piece takes it back when this returns.
      const piece = Buffer.from(lent);
      if ('pass' in post) return post.pass(piece, isLast, () => give(bytes));
      pieces.push(piece);
      if (!isLast) return;
      const body = joined(pieces);
      if (this.#rules.until === 'taken') release();
      post.take(body);
    };
  }

  #reserve({ client, owner }: AnyPost): boolean {
    if (this.#postsOfClient?.take(client, 1) === false) return false;
    if (this.#postsOfOwner.take(owner, 1)) return true;
    this.#postsOfClient?.give(client, 1);
    return false;
  }

  #release({ client, owner }: AnyPost): void {
    this.#postsOfClient?.give(client, 1);
    this.#postsOfOwner.give(owner, 1);
  }

  #evict(which: (post: AnyPost) => boolean): void {
    for (const { post, exchange } of this.#readings) {
      if (which(post)) giveUp(exchange, post, TRY_LATER);
    }
  }

  #tooLong(): HttpAnswer {
    this.#counters?.refusals.add('request_bytes');
    const body = `A post may have ${this.#rules.bytes} bytes at most.`;
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
function giveUp(exchange: BodyExchange, post: AnyPost, answer: HttpAnswer): void {
  const said = post.refused?.(answer) ?? answer;
  exchange.handler?.gone();
  exchange.answer(said);
}
