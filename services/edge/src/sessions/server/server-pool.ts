import type { Time } from '../../ports/time.ts';
import type { Host, PooledHost } from '../host.ts';
import type { Served } from '../served.ts';
import { LostConnections, type Where } from './lost-connections.ts';
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

  /** A client has lost its server connection at another edge, or is about to. */
  lostAt(where: Where, server: Pick<Host, 'serverId' | 'software'>, client: Served): void {
    this.#losses.lostAt(where, server, client);
  }

  /** What app servers at that edge say of former stays of a client may come yet. */
  lineLost(edgeId: string): void {
    this.#losses.lineLost(edgeId);
  }

  /** Whether the process of `server` may not know yet that the client of this id is no longer with it. */
  remembers(server: PooledHost, id: string): boolean {
    return this.#losses.remembers(server, id);
  }

  /** The same, where the server connection is at another edge, which knows for itself what was lost there. */
  remembersAt(edgeId: string, serverId: string, id: string): boolean {
    return this.#losses.remembersAt(edgeId, serverId, id);
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

  get hasClients(): boolean {
    for (const { clients } of this.#servers) if (clients.length > 0) return true;
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
    const anyone = (server: PooledHost): boolean => !this.#losses.remembers(server, client.id);
    if (sticky === 'Disabled') return this.#leastLoaded(anyone);
    const named = serverName === undefined ? undefined : this.chooseNamed(client, serverName);
    return sticky === 'Preferred' ? (named ?? this.#leastLoaded(anyone)) : named;
  }

  /** The one of this process with the fewest clients. */
  chooseNamed(client: Served, serverId: string): PooledHost | undefined {
    if (this.mayBeDyingFor(client)) return undefined;
    return this.#leastLoaded(
      (server) => server.serverId === serverId && !this.#losses.remembers(server, client.id),
    );
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
