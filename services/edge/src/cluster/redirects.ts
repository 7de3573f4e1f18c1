import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { Affinity } from '../sessions/served.ts';
import type { EdgeStatus } from './edge-status.ts';
import type { Neighbours } from './neighbours.ts';
import type { OwnStatus } from './own-status.ts';
import { withOwnUrls } from './own-urls.ts';

/** So much better another edge has to be: this many clients fewer, and this part of those here. */
const FEWER_CLIENTS = 50;
const FEWER_SHARE = 0.25;

interface Candidate {
  readonly edgeId: string;
  readonly status: EdgeStatus;
  /** Its clients, with those that have been sent there since it said how many it has. */
  readonly clients: number;
}

/**
 * Which edge a new client is best off at, where edges have URLs of their own. Nobody is sent to the
 * others.
 */
export class Redirects {
  readonly #own: OwnStatus;
  readonly #neighbours: Neighbours;
  readonly #hubs: HubDirectory;
  /** By edge: clients sent there since it was heard last. */
  readonly #sent = new Map<string, number>();

  constructor(own: OwnStatus, neighbours: Neighbours, hubs: HubDirectory) {
    this.#own = own;
    this.#neighbours = neighbours;
    this.#hubs = hubs;
  }

  /** The edge has said how many clients it has. */
  heard(edgeId: string): void {
    this.#sent.delete(edgeId);
  }

  /** The URL of the edge to send a new client of the hub to, which is counted as going there. */
  better(hub: string, affinity: Affinity): string | undefined {
    if (this.#own.publicUrl === '' || this.#neighbours.edges.length === 0) return undefined;
    const best = this.#best(hub, affinity);
    if (best === undefined || !this.#isBetter(best, hub, affinity)) return undefined;
    this.#sent.set(best.edgeId, (this.#sent.get(best.edgeId) ?? 0) + 1);
    return best.status.publicUrl;
  }

  /** The one with the fewest clients of those that have the app server which the client wants. */
  #best(hub: string, affinity: Affinity): Candidate | undefined {
    const others = this.#candidates();
    const serving = others.filter(({ status }) => serves(status, hub));
    const wanted = serving.filter(({ status }) => serves(status, hub, serverOf(affinity)));
    const best = leastLoaded(wanted);
    // Anywhere is better than at an edge that goes, but for a client that nobody else may serve.
    if (best !== undefined || !this.#own.isDraining || affinity.sticky === 'Required') return best;
    return leastLoaded(serving) ?? leastLoaded(others);
  }

  #isBetter({ clients }: Candidate, hub: string, affinity: Affinity): boolean {
    if (this.#own.isDraining) return true;
    const wanted = serverOf(affinity);
    const servers = [...(this.#hubs.get(hub)?.servers ?? [])];
    const isServed = servers.some(
      ({ takesClients, serverId }) => takesClients && (wanted ?? serverId) === serverId,
    );
    // The app server that the client wants is not here, or none of its hub is.
    if (!isServed) return true;
    const fewer = this.#own.clients - clients;
    return fewer >= FEWER_CLIENTS && fewer >= this.#own.clients * FEWER_SHARE;
  }

  /** Edges that are reached by a URL of their own, and stay. */
  #candidates(): Candidate[] {
    const others = this.#neighbours.edges.map((edgeId) => {
      const status = this.#neighbours.statusOf(edgeId);
      const clients = status.clients + (this.#sent.get(edgeId) ?? 0);
      return { edgeId, status, clients, publicUrl: status.publicUrl };
    });
    const reached = withOwnUrls<{ readonly publicUrl: string }>([this.#own, ...others]);
    return others.filter((edge) => reached.includes(edge) && !edge.status.isDraining);
  }
}

/** The app server that a client sticks to. */
function serverOf({ sticky, serverName }: Affinity): string | undefined {
  return sticky === 'Disabled' ? undefined : serverName;
}

/** It has an app server of the hub that takes clients: this one, where it is named. */
function serves({ hubs }: EdgeStatus, hub: string, serverName?: string): boolean {
  return hubs.some(
    ({ name, hosts }) =>
      name === hub &&
      hosts.some(({ open, serverId }) => open > 0 && (serverName ?? serverId) === serverId),
  );
}

function leastLoaded(edges: readonly Candidate[]): Candidate | undefined {
  return edges.toSorted((a, b) => a.clients - b.clients)[0];
}
