import type { ServerSession } from './server-session.ts';

/** Where a client wants to be served, by its token (service protocol reference, section 3.3). */
export interface Affinity {
  readonly sticky: 'Disabled' | 'Preferred' | 'Required';
  readonly serverName: string | undefined;
}

/** The server connections of one hub that have shaken hands. */
export class ServerPool {
  readonly #servers = new Set<ServerSession>();

  add(server: ServerSession): void {
    this.#servers.add(server);
  }

  delete(server: ServerSession): void {
    this.#servers.delete(server);
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
   * The server that the client sticks to, else the one with the fewest clients; none of the
   * connections of `avoided`.
   */
  choose({ sticky, serverName }: Affinity, avoided?: string): ServerSession | undefined {
    const anyone = (server: ServerSession): boolean => server.serverId !== avoided;
    if (sticky === 'Disabled') return this.#leastLoaded(anyone);
    const preferred = this.#leastLoaded(
      (server) => anyone(server) && server.serverId === serverName,
    );
    return sticky === 'Required' ? preferred : (preferred ?? this.#leastLoaded(anyone));
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
