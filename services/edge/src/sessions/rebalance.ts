import type { CoreContext } from './core-context.ts';
import type { Host, PooledHost } from './host.ts';
import type { HubDirectory } from './hub-directory.ts';
import type { HubRuntime } from './hub-runtime.ts';
import { mayMove } from './migration-policy.ts';
import type { Served } from './served.ts';
import type { Expiring } from './watch.ts';

/** Clients that are looked at in a second, served at other edges: most may have to stay there. */
const LOOKS = 10_000;
/** A process may have so many clients more for each of its connections, or this part of them. */
const TOLERANCE = 1;
const TOLERATED_SHARE = 0.05;

/** An app process, with its connections for one hub that get more clients. */
interface Load {
  readonly hosts: PooledHost[];
  /** Clients for each of those, on average. */
  clients: number;
}

/**
 * An app server that comes back has no clients, and would get new ones only: a few each second are
 * moved to it. First those that app servers of other edges serve, for want of one here, and then those
 * of the process here that has most. Only those go that lose nothing by it: their app lets them be moved
 * at any time, and nothing of theirs runs.
 */
export class Rebalance implements Expiring {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #clientsAway: () => Iterator<Served, void>;
  /** Those of them that have not been looked at in this round. */
  #away: Iterator<Served, void>;

  /** `clientsAway`: goes through the clients of this edge that app servers of others serve. */
  constructor(context: CoreContext, hubs: HubDirectory, clientsAway: () => Iterator<Served, void>) {
    this.#context = context;
    this.#hubs = hubs;
    this.#clientsAway = clientsAway;
    this.#away = clientsAway();
  }

  /** Once a second. */
  expire(now: number): void {
    let left = this.#context.limits.rebalance;
    if (left > 0) left -= this.#bringHome(left, now);
    for (const hub of this.#hubs) if (left > 0) left -= this.#level(hub, left, now);
  }

  /** Moves up to so many clients from app servers of other edges to those of this one; answers how many. */
  #bringHome(most: number, now: number): number {
    let moved = 0;
    for (let looks = 0; looks < LOOKS && moved < most; looks++) {
      const next = this.#away.next();
      if (next.done === true) {
        this.#away = this.#clientsAway();
        break;
      }
      const hub = this.#hubs.get(next.value.hub.name);
      if (hub !== undefined && this.#move(hub, next.value, now)) moved++;
    }
    return moved;
  }

  /** Moves up to so many clients of a hub; answers how many it has moved. */
  #level(hub: HubRuntime, most: number, now: number): number {
    const [emptiest, ...others] = loadsOf(hub);
    if (emptiest === undefined) return 0;
    // The fullest may have nobody who can go.
    for (const load of others.toReversed()) {
      const moved = this.#even(hub, emptiest, load, most, now);
      if (moved > 0) return moved;
    }
    return 0;
  }

  /** Moves up to so many clients of one process to another; answers how many it has moved. */
  #even(hub: HubRuntime, emptiest: Load, load: Load, most: number, now: number): number {
    if (!isUneven(emptiest, load)) return 0;
    let moved = 0;
    for (const client of clientsOf(load)) {
      if (moved === most || !isUneven(emptiest, load)) break;
      if (!this.#move(hub, client, now)) continue;
      moved++;
      load.clients -= 1 / load.hosts.length;
      emptiest.clients += 1 / emptiest.hosts.length;
    }
    return moved;
  }

  #move({ servers }: HubRuntime, client: Served, now: number): boolean {
    const { host } = client;
    if (host === undefined || !mayLeave(client, host)) return false;
    const next = servers.choose(client);
    if (next === undefined || next.serverId === host.serverId) return false;
    client.moveAway(now);
    return true;
  }
}

/** From the emptiest to the fullest. */
function loadsOf({ servers }: HubRuntime): Load[] {
  const byProcess = new Map<string, PooledHost[]>();
  for (const host of servers) {
    if (!host.takesClients) continue;
    const hosts = byProcess.get(host.serverId);
    if (hosts === undefined) byProcess.set(host.serverId, [host]);
    else hosts.push(host);
  }
  return [...byProcess.values()]
    .map((hosts) => ({
      hosts,
      clients: hosts.reduce((sum, { clients }) => sum + clients.length, 0) / hosts.length,
    }))
    .toSorted((a, b) => a.clients - b.clients);
}

function isUneven(emptiest: Load, load: Load): boolean {
  const tolerated = Math.max(TOLERANCE, load.clients * TOLERATED_SHARE);
  return load.clients - emptiest.clients > tolerated;
}

/** Those of its fullest connection first. A copy, since clients leave meanwhile. */
function clientsOf({ hosts }: Load): Served[] {
  return hosts
    .toSorted((a, b) => b.clients.length - a.clients.length)
    .flatMap(({ clients }) => clients);
}

/** It is open, nothing of it runs, its app can bear it, and its token does not keep it there. */
function mayLeave(client: Served, host: Host): boolean {
  if (!client.ready || client.isBusy || client.affinity.serverName === host.serverId) return false;
  return mayMove(client, host);
}
