import type { BudgetLimits, BudgetRules, RefusalKind } from '@trunkline/protocol';
import { Budget, REFUSAL_KINDS, SharedBudget } from '@trunkline/protocol';
import { LabelCounts } from './sessions/counters.ts';

const KB = 1024;
const MB = 1024 * KB;

/** Who a share is for. */
export type PoolOwner =
  | 'client'
  | 'call'
  | 'user or token'
  | 'hub'
  | 'server connection'
  | 'address';

interface PoolDefinition extends BudgetLimits {
  /** What is counted. */
  readonly unit:
    | 'bytes'
    | 'ids'
    | 'posts'
    | 'answers'
    | 'questions'
    | 'relays'
    | 'rules'
    | 'sockets';
  readonly owner: PoolOwner;
}

/**
 * What the peers of an edge draw on together, and must not take from each other: how much one owner
 * may hold, and how much all of them. Totals of posts follow `--max-requests` and
 * `--max-batch-bytes`; here is what these are by default. ARCHITECTURE.md lists them beside the
 * bounds for a single thing.
 */
export const POOLS = {
  /** Sockets without a request, where open files are short. Of 128 files kept from clients. */
  newcomers: { unit: 'sockets', owner: 'address', share: 32, total: 48 },
  /** Ids that a negotiate has given out, and no connect has claimed yet. */
  negotiates: { unit: 'ids', owner: 'user or token', share: 10_000, total: 100_000 },
  /** Posted before the connection is made. */
  early_posts: { unit: 'bytes', owner: 'user or token', share: 4 * MB, total: 16 * MB },
  /** Posts that have not been answered. Clients make one or two at a time. */
  posts: { unit: 'posts', owner: 'client', share: 4, total: 1024 },
  /** Of those that post, an attacker may well have many connections, but not many users. */
  posts_of_user: { unit: 'posts', owner: 'user or token', share: 256, total: 1024 },
  /** Bodies of those posts, as far as they have come. */
  post_bytes: { unit: 'bytes', owner: 'user or token', share: 32 * MB, total: 128 * MB },
  /** REST calls whose bodies are being read, and what has come of these. */
  rest_posts: { unit: 'posts', owner: 'hub', share: 256, total: 1024 },
  rest_post_bytes: { unit: 'bytes', owner: 'hub', share: 32 * MB, total: 64 * MB },
  /** Answers of clients that app servers wait for, or REST calls. */
  client_results: { unit: 'answers', owner: 'hub', share: 25_000, total: 100_000 },
  client_results_of_client: { unit: 'answers', owner: 'client', share: 100, total: 100_000 },
  /** Questions of app servers that have just started, which wait a moment. */
  early_questions: { unit: 'bytes', owner: 'hub', share: MB, total: MB },
  /** Questions to other edges that have not been answered. */
  questions: { unit: 'questions', owner: 'hub', share: 50_000, total: 200_000 },
  /**
   * Requests that have landed here and that other edges answer: hanging polls and event streams, above
   * all. One whose token is not good here and now counts for its address.
   */
  relays: { unit: 'relays', owner: 'user or token', share: 10_000, total: 100_000 },
  /** Groups that later connections of a user join on arrival. */
  user_group_rules: { unit: 'rules', owner: 'hub', share: 500_000, total: 1_000_000 },
  /** What clients say before an app server has them. */
  waiting_clients: { unit: 'bytes', owner: 'client', share: 64 * KB, total: 64 * MB },
  /**
   * For clients whose handshake response is not out, as much for one as may wait for one that is
   * open. When 5,000 come at once, and the app tells everybody of each, the last of them holds 5,000
   * messages of some hundred bytes, and each a place for all who came before it: 200 MB.
   */
  opening_clients: { unit: 'bytes', owner: 'client', share: MB, total: 256 * MB },
  /** What clients say while they have no app server, because theirs has gone. */
  moving_clients: { unit: 'bytes', owner: 'client', share: 256 * KB, total: 64 * MB },
  /**
   * Said to app servers of other edges, and not confirmed by those. Of all that an edge says the bus keeps
   * 16 MB, and drops the oldest beyond: that would end what goes to others, too.
   */
  remote_clients: { unit: 'bytes', owner: 'client', share: 5 * MB, total: 12 * MB },
  /** Kept of hub messages that a client has begun and not ended. */
  unfinished_from_clients: { unit: 'bytes', owner: 'client', share: 4 * MB, total: 64 * MB },
  /** Kept of hub messages that an app server has begun for a client and not ended. */
  unfinished_to_clients: { unit: 'bytes', owner: 'client', share: 128 * MB, total: 256 * MB },
  /** Kept of service messages that an app server has begun and not ended. */
  unfinished_from_servers: {
    unit: 'bytes',
    owner: 'server connection',
    share: 128 * MB,
    total: 512 * MB,
  },
  /** What happens to clients without an app server, until an upstream has heard of it. */
  upstream_events: { unit: 'bytes', owner: 'client', share: 8 * MB, total: 64 * MB },
  /** Answers of upstreams, as far as they have come. */
  upstream_answers: { unit: 'bytes', owner: 'call', share: 16 * MB, total: 128 * MB },
  /** Come, and not worked off yet because that takes longer than its turn. */
  backlog_from_clients: { unit: 'bytes', owner: 'client', share: 8 * MB, total: 64 * MB },
  backlog_from_servers: {
    unit: 'bytes',
    owner: 'server connection',
    share: 128 * MB,
    total: 512 * MB,
  },
} as const satisfies Readonly<Record<string, PoolDefinition>>;

export type PoolName = keyof typeof POOLS;

const POOL_NAMES = Object.keys(POOLS) as PoolName[];

type PoolLimits = Readonly<Record<PoolName, BudgetLimits>>;

/**
 * What settings say of the pools: `kept` files that clients do not get (`keptFiles`),
 * `requests` posts at a time, of `maxBatchBytes` each, and hub messages of `maxMessageBytes`.
 */
export function poolLimits(settings: {
  requests: number;
  maxBatchBytes: number;
  maxMessageBytes: number;
  kept: number;
}): Partial<PoolLimits> {
  const { requests, maxBatchBytes, maxMessageBytes, kept } = settings;
  return {
    newcomers: { share: Math.floor(kept / 4), total: Math.floor((kept * 3) / 8) },
    posts: { share: POOLS.posts.share, total: requests },
    posts_of_user: { share: Math.max(POOLS.posts.share, Math.ceil(requests / 4)), total: requests },
    post_bytes: { share: 4 * maxBatchBytes, total: 16 * maxBatchBytes },
    remote_clients: {
      share: maxMessageBytes + MB,
      total: Math.max(POOLS.remote_clients.total, 2 * maxMessageBytes + MB),
    },
    unfinished_from_clients: { share: maxMessageBytes, total: 16 * maxMessageBytes },
    upstream_events: { share: maxBatchBytes, total: 8 * maxBatchBytes },
    backlog_from_clients: { share: maxBatchBytes, total: 8 * maxBatchBytes },
  };
}

/** The pools of one edge. */
export class Pools {
  /** Keyed `pool|kind`. */
  readonly refusals = new LabelCounts(
    POOL_NAMES.flatMap((pool) => REFUSAL_KINDS.map((kind) => `${pool}|${kind}`)),
  );
  readonly #limits: PoolLimits;
  readonly #opened = new Map<PoolName, { readonly used: number }>();

  /** `limits` differ from `POOLS` where settings say so. */
  constructor(limits: Partial<PoolLimits> = {}) {
    this.#limits = { ...POOLS, ...limits };
  }

  /** Opens a pool, once; `evict` makes an owner give back what it holds (see `BudgetRules`). */
  open<O>(pool: PoolName, evict: (owner: O) => void): Budget<O> {
    return this.#add(pool, new Budget<O>(this.#limits[pool], this.#rules(pool, evict)));
  }

  /** The same for a pool of what owners hold together. */
  openShared<O>(pool: PoolName, evict: (owner: O) => void): SharedBudget<O> {
    return this.#add(pool, new SharedBudget<O>(this.#limits[pool], this.#rules(pool, evict)));
  }

  /** What is held of each pool, and how much there is. */
  *usage(): Iterable<readonly [pool: PoolName, used: number, total: number]> {
    for (const pool of POOL_NAMES) {
      yield [pool, this.#opened.get(pool)?.used ?? 0, this.#limits[pool].total];
    }
  }

  #rules<O>(pool: PoolName, evict: (owner: O) => void): BudgetRules<O> {
    const refused = (kind: RefusalKind): void => this.refusals.add(`${pool}|${kind}`);
    return { evict, refused };
  }

  #add<B extends { readonly used: number }>(pool: PoolName, budget: B): B {
    this.#opened.set(pool, budget);
    return budget;
  }
}
