import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { PooledHost } from '../sessions/host.ts';
import type { EdgeStatus, HostStatus, HubStatus } from './edge-status.ts';

/** How this edge is, for the others. */
export class OwnStatus {
  isDraining = false;
  /** An id that this edge has minted has once been claimed by another one. */
  handsOver = false;
  readonly publicUrl: string;
  readonly #clients: () => number;
  readonly #hubs: HubDirectory;

  constructor(publicUrl: string, clients: () => number, hubs: HubDirectory) {
    this.publicUrl = publicUrl;
    this.#clients = clients;
    this.#hubs = hubs;
  }

  /** How many clients are here, and have negotiated to come. */
  get clients(): number {
    return this.#clients();
  }

  /** As it is now. */
  read(): EdgeStatus {
    const hubs: HubStatus[] = [];
    const clientHubs: string[] = [];
    for (const { name, servers, model } of this.#hubs) {
      if (model.members.length > 0) clientHubs.push(name);
      const hosts = hostsOf(servers);
      if (hosts.length > 0) hubs.push({ name, hosts });
    }
    const { publicUrl, clients, isDraining, handsOver } = this;
    return { publicUrl, clients, isDraining, handsOver, hubs, clientHubs };
  }
}

/** The app processes that serve clients here, each with what all of its connections have. */
function hostsOf(servers: Iterable<PooledHost>): HostStatus[] {
  const byId = new Map<string, HostStatus>();
  for (const { serverId, carriesClients, takesClients, clients } of servers) {
    if (!carriesClients) continue;
    const known = byId.get(serverId) ?? { serverId, open: 0, clients: 0 };
    const open = known.open + (takesClients ? 1 : 0);
    byId.set(serverId, { serverId, open, clients: known.clients + clients.length });
  }
  return [...byId.values()];
}
