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
/** Of so many rules of users in all hubs it is seen once a second whether their time is over. */
const SWEPT_RULES = 5_000;
/** The part of all hubs there can be that clients alone may have named: app servers hold the rest. */
const SHARE_OF_CLIENTS = 0.5;

interface Entry {
  readonly hub: HubRuntime;
  /** When it last was in use, on the edge's clock. */
  usedAt: number;
  /** No app server has named it yet, nor a REST caller. */
  isNamedByClientsAlone: boolean;
}

/**
 * The hubs of an edge, made when their first connection comes and forgotten, with their metrics'
 * series, when they are of no use. Whoever has a token service can name new ones, so there is a
 * bound; app servers hold keys, and have room that clients cannot take.
 */
export class HubDirectory {
  readonly #hubs = new Map<string, Entry>();
  #namedByClientsAlone = 0;
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
      if (namedBy === 'server') this.#countNoMore(known);
      return known.hub;
    }
    if (!this.#hasRoomFor(namedBy)) {
      this.#context.counters.refusals.add('hubs');
      return undefined;
    }
    const hub = this.#make(name);
    const isNamedByClientsAlone = namedBy === 'client';
    this.#hubs.set(name, { hub, usedAt: now, isNamedByClientsAlone });
    if (isNamedByClientsAlone) this.#namedByClientsAlone++;
    this.#cluster?.follow(name);
    return hub;
  }

  #hasRoomFor(namedBy: 'client' | 'server'): boolean {
    const most = this.#context.limits.hubs;
    if (this.#hubs.size >= most) return false;
    return namedBy === 'server' || this.#namedByClientsAlone < most * SHARE_OF_CLIENTS;
  }

  /** The hub is not held against the half of clients any more. */
  #countNoMore(entry: Entry): void {
    if (!entry.isNamedByClientsAlone) return;
    entry.isNamedByClientsAlone = false;
    this.#namedByClientsAlone--;
  }

  /**
   * Forgets hubs that have not been in use for a while. `late`: how long this edge itself slept, in
   * which nobody can have used them.
   */
  expire(now: number, late: number): void {
    const share = Math.ceil(SWEPT_RULES / this.#hubs.size);
    for (const [name, entry] of this.#hubs) {
      entry.usedAt += late;
      entry.hub.model.expire(now, share);
      if (!entry.hub.isIdle(now)) entry.usedAt = now;
      else if (now - entry.usedAt >= REMEMBERED_MS) {
        this.#hubs.delete(name);
        this.#countNoMore(entry);
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
