import type { Time } from '../../ports/time.ts';
import type { PooledHost } from '../host.ts';
import type { Served } from '../served.ts';
import { LostConnections } from './lost-connections.ts';
import type { Offers } from './offers.ts';

/** The server connections of one hub that have shaken hands. */
export class ServerPool {
  readonly #servers = new Set<PooledHost>();
  readonly #losses: LostConnections;
  readonly #offers: Offers;

  constructor(time: Time, offers: Offers) {
    this.#losses = new LostConnections(time);
    this.#offers = offers;
  }

  add(server: PooledHost): void {
    this.#servers.add(server);
    this.#losses.replaced(server);
    this.#offers.compare(this.#servers);
  }

  delete(server: PooledHost): void {
    if (this.#servers.delete(server) && !server.isDeparting) this.#losses.lost(server);
    this.#offers.compare(this.#servers);
  }

  /** Its process goes: clients that leave `server` must not come back by another connection of it. */
  leaves(server: PooledHost): void {
    this.#losses.lost(server);
    this.#offers.compare(this.#servers);
  }

  /** Whether the process of `server` may not know yet that the client is no longer with it. */
  remembers(server: PooledHost, client: Served): boolean {
    return this.#losses.remembers(server, client);
  }

  get size(): number {
    return this.#servers.size;
  }

  [Symbol.iterator](): Iterator<PooledHost> {
    return this.#servers.values();
  }

  /** There is an app server that has clients, or may. */
  get carriesClients(): boolean {
    for (const server of this.#servers) if (server.carriesClients) return true;
    return false;
  }

  /** The server ids connected now, sorted, as the `servers` ping wants them (section 7.4). */
  serverIds(): string[] {
    return [...new Set([...this.#servers].map((server) => server.serverId))].sort();
  }

  /**
   * The server that the client sticks to, else the one with the fewest clients. Never one whose
   * process remembers the client from before. A client that would have no other is not given to a
   * process that may be dying.
   */
  choose(client: Served): PooledHost | undefined {
    const { sticky, serverName } = client.affinity;
    const anyone = (server: PooledHost): boolean => !this.#losses.remembers(server, client);
    if (sticky === 'Disabled') return this.#leastLoaded(anyone);
    const named = (server: PooledHost): boolean => server.serverId === serverName && anyone(server);
    if (sticky === 'Preferred') return this.#leastLoaded(named) ?? this.#leastLoaded(anyone);
    return this.mayBeDyingFor(client) ? undefined : this.#leastLoaded(named);
  }

  /** Whether a client is not to wait: no connection is left of the one process that will do. */
  isGoneFor({ affinity: { sticky, serverName } }: Served): boolean {
    if (sticky !== 'Required') return false;
    return ![...this.#servers].some(
      (server) => server.serverId === serverName && server.carriesClients,
    );
  }

  /** Whether the one process that will do for a client has just lost a connection. */
  mayBeDyingFor({ affinity: { sticky, serverName = '' } }: Served): boolean {
    return sticky === 'Required' && this.#losses.mayBeDying(serverName);
  }

  #leastLoaded(suits: (server: PooledHost) => boolean): PooledHost | undefined {
    let best: PooledHost | undefined;
    for (const server of this.#servers) {
      if (!server.takesClients || !suits(server)) continue;
      if (best === undefined || server.clients.length < best.clients.length) best = server;
    }
    return best;
  }
}
