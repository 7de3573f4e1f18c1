import type { EdgeStatus, HostStatus } from './edge-status.ts';

/** What the directory knows of other edges. */
export interface Statuses {
  readonly edges: readonly string[];
  statusOf(edgeId: string): EdgeStatus;
}

/** An app process at an edge. */
export interface Found {
  readonly edgeId: string;
  readonly serverId: string;
}

/** What this edge knows of an app process since its edge has last told of it. */
interface Since {
  /** Clients that it has been given. */
  given: number;
  /** It has taken a client not. */
  isRefused: boolean;
}

/** Which app processes serve which hubs at other edges, by what those have last said of themselves. */
export class HostDirectory {
  readonly #statuses: Statuses;
  /** By edge; and by hub and server id. */
  readonly #since = new Map<string, Map<string, Since>>();

  constructor(statuses: Statuses) {
    this.#statuses = statuses;
  }

  /**
   * The one with the fewest clients for each of its server connections, of those that get more and suit;
   * at an edge that drains only where no other has one, for its app servers serve until it ends.
   */
  choose(hub: string, suits: (found: Found) => boolean): Found | undefined {
    return this.#leastLoaded(hub, suits, false) ?? this.#leastLoaded(hub, suits, true);
  }

  #leastLoaded(
    hub: string,
    suits: (found: Found) => boolean,
    isDraining: boolean,
  ): Found | undefined {
    let best: Found | undefined;
    let least = Infinity;
    for (const edgeId of this.#statuses.edges) {
      if (this.#statuses.statusOf(edgeId).isDraining !== isDraining) continue;
      for (const { serverId, open, clients } of this.#hostsOf(edgeId, hub)) {
        const since = this.#since.get(edgeId)?.get(keyOf(hub, serverId));
        const load = (clients + (since?.given ?? 0)) / open;
        if (open === 0 || since?.isRefused === true || load >= least) continue;
        const found = { edgeId, serverId };
        if (!suits(found)) continue;
        best = found;
        least = load;
      }
    }
    return best;
  }

  /** Server connections of this process, or of any, that have clients, or may, are at another edge. */
  serves(hub: string, serverId?: string): boolean {
    return this.#statuses.edges.some((edgeId) =>
      this.#hostsOf(edgeId, hub).some((host) => host.serverId === (serverId ?? host.serverId)),
    );
  }

  /** The edge has app servers for the hub that get more clients. */
  hasRoom(edgeId: string, hub: string): boolean {
    return this.#hostsOf(edgeId, hub).some(({ open }) => open > 0);
  }

  given(hub: string, found: Found): void {
    this.#sinceOf(hub, found).given++;
  }

  /** It gets no more until its edge tells anew. */
  refused(hub: string, found: Found): void {
    this.#sinceOf(hub, found).isRefused = true;
  }

  /** An edge has told how it is, or is gone. */
  forget(edgeId: string): void {
    this.#since.delete(edgeId);
  }

  #hostsOf(edgeId: string, hub: string): readonly HostStatus[] {
    return this.#statuses.statusOf(edgeId).hubs.find(({ name }) => name === hub)?.hosts ?? [];
  }

  #sinceOf(hub: string, { edgeId, serverId }: Found): Since {
    const ofEdge = this.#since.get(edgeId) ?? new Map<string, Since>();
    this.#since.set(edgeId, ofEdge);
    const key = keyOf(hub, serverId);
    const since = ofEdge.get(key) ?? { given: 0, isRefused: false };
    ofEdge.set(key, since);
    return since;
  }
}

function keyOf(hub: string, serverId: string): string {
  return `${hub}\n${serverId}`;
}
