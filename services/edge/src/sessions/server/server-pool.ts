import type { ClientSession } from '../client/client-session.ts';
import type { Clock } from '../edge-context.ts';
import { Gaps } from './gaps.ts';
import type { Offers } from './offers.ts';
import type { ServerSession } from './server-session.ts';

/** Where a client wants to be served, by its token (service protocol reference, section 3.3). */
export interface Affinity {
  readonly sticky: 'Disabled' | 'Preferred' | 'Required';
  readonly serverName: string | undefined;
}

/** The server connections of one hub that have shaken hands. */
export class ServerPool {
  readonly #servers = new Set<ServerSession>();
  readonly #gaps: Gaps;
  readonly #offers: Offers;

  constructor(clock: Clock, offers: Offers) {
    this.#gaps = new Gaps(clock);
    this.#offers = offers;
  }

  add(server: ServerSession): void {
    this.#servers.add(server);
    this.#gaps.close(server);
    this.#offers.compare(this.#servers);
  }

  delete(server: ServerSession): void {
    if (this.#servers.delete(server) && !server.isDeparting) this.#gaps.open(server);
    this.#offers.compare(this.#servers);
  }

  /** Its process goes: clients that leave it are not to come back by another connection of it. */
  leaves(server: ServerSession): void {
    this.#gaps.open(server);
    this.#offers.compare(this.#servers);
  }

  /** Whether the process of `server` may not know yet that the client is no longer with it. */
  remembers(server: ServerSession, client: ClientSession): boolean {
    return this.#gaps.remembers(server, client);
  }

  get size(): number {
    return this.#servers.size;
  }

  [Symbol.iterator](): Iterator<ServerSession> {
    return this.#servers.values();
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
  choose(client: ClientSession): ServerSession | undefined {
    const { sticky, serverName } = client.affinity;
    const anyone = (server: ServerSession): boolean => !this.#gaps.remembers(server, client);
    if (sticky === 'Disabled') return this.#leastLoaded(anyone);
    const named = (server: ServerSession): boolean =>
      server.serverId === serverName && anyone(server);
    if (sticky === 'Preferred') return this.#leastLoaded(named) ?? this.#leastLoaded(anyone);
    return this.hasGap(client) ? undefined : this.#leastLoaded(named);
  }

  /** Whether a client is not to wait: no connection is left of the one process that will do. */
  isGoneFor({ affinity: { sticky, serverName } }: ClientSession): boolean {
    if (sticky !== 'Required') return false;
    return ![...this.#servers].some(
      (server) => server.serverId === serverName && server.carriesClients,
    );
  }

  /** Whether the one process that will do for a client has just lost a connection. */
  hasGap({ affinity: { sticky, serverName = '' } }: ClientSession): boolean {
    return sticky === 'Required' && this.#gaps.isShort(serverName);
  }

  #leastLoaded(suits: (server: ServerSession) => boolean): ServerSession | undefined {
    let best: ServerSession | undefined;
    for (const server of this.#servers) {
      if (!server.takesClients || !suits(server)) continue;
      if (best === undefined || server.clients.length < best.clients.length) best = server;
    }
    return best;
  }
}
