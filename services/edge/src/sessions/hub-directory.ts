import type { Budget } from '@trunkline/protocol';
import type { ClientContext } from './client/client-context.ts';
import { HubRuntime } from './hub-runtime.ts';
import type { Others } from './others.ts';
import { ALONE } from './others.ts';

/** The edges beside this one, as its hubs know them. */
export interface HubCluster {
  /** From the first connection of a hub on, this edge takes part in it. */
  follow(hub: string): void;
  unfollow(hub: string): void;
  othersOf(hub: string): Others;
}

/** How long a hub is remembered that nobody uses: longer than anybody takes to come back to it. */
const REMEMBERED_MS = 60_000;
/** What clients may name of all hubs there can be: the rest is for hubs that app servers name. */
const SHARE_OF_CLIENTS = 0.5;

interface Entry {
  readonly hub: HubRuntime;
  /** When it last was in use, on the edge's clock. */
  usedAt: number;
}

/**
 * The hubs of an edge, made when their first connection comes and forgotten, with their metrics'
 * series, when they are of no use. Whoever has a token service can name new ones, so there is a
 * bound; app servers hold keys, and have room that clients cannot take.
 */
export class HubDirectory {
  readonly #hubs = new Map<string, Entry>();
  readonly #context: ClientContext;
  readonly #rules: Budget<string>;
  #cluster: HubCluster | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
    this.#rules = context.pools.open('user_group_rules', (hub) =>
      this.get(hub)?.model.forgetOldestRules(),
    );
  }

  get size(): number {
    return this.#hubs.size;
  }

  /** Before the first hub: directory and cluster need each other. */
  join(cluster: HubCluster): void {
    this.#cluster = cluster;
  }

  /** `name`: the hub key, lower case. */
  get(name: string): HubRuntime | undefined {
    return this.#hubs.get(name)?.hub;
  }

  /** The hub of that name, made if need be; undefined when there are as many as there may be. */
  open(name: string, namedBy: 'client' | 'server'): HubRuntime | undefined {
    const now = this.#context.time.now();
    const known = this.#hubs.get(name);
    if (known !== undefined) {
      known.usedAt = now;
      return known.hub;
    }
    const most = this.#context.limits.hubs * (namedBy === 'client' ? SHARE_OF_CLIENTS : 1);
    if (this.#hubs.size >= most) {
      this.#context.counters.refusals.add('hubs');
      return undefined;
    }
    const hub = this.#make(name);
    this.#hubs.set(name, { hub, usedAt: now });
    this.#cluster?.follow(name);
    return hub;
  }

  /**
   * Forgets hubs that have not been in use for a while. `late`: how long this edge itself slept, in
   * which nobody can have used them.
   */
  expire(now: number, late: number): void {
    for (const [name, entry] of this.#hubs) {
      entry.usedAt += late;
      if (!entry.hub.isIdle(now)) entry.usedAt = now;
      else if (now - entry.usedAt >= REMEMBERED_MS) {
        this.#hubs.delete(name);
        this.#cluster?.unfollow(name);
      }
    }
  }

  *[Symbol.iterator](): Iterator<HubRuntime> {
    for (const { hub } of this.#hubs.values()) yield hub;
  }

  #make(name: string): HubRuntime {
    const room = {
      take: () => this.#rules.take(name, 1),
      give: (rules: number) => this.#rules.give(name, rules),
    };
    return new HubRuntime(name, this.#context, this.#cluster?.othersOf(name) ?? ALONE, room);
  }
}
