import { MessageType } from '@trunkline/protocol';
import type { EdgeContext } from '../edge-context.ts';
import type { PooledHost } from '../host.ts';

/** How long a process may take to open the connection that it was asked for. */
const PATIENCE_MS = 10_000;
/** A process with so many server connections is asked for no more. */
const ENOUGH = 10;

/**
 * Asks app servers whose connections are full for one more, while clients wait, and those that serve
 * clients of an edge where they have none. The package opens one each time it is asked, without an end
 * (service protocol reference, sections 7.4 and 7.6), so the edge keeps count.
 */
export class Reinforcements {
  readonly #hub: string;
  readonly #context: EdgeContext;
  /** By server id: when it was asked last. */
  readonly #asked = new Map<string, number>();

  constructor(hub: string, context: EdgeContext) {
    this.#hub = hub;
    this.#context = context;
  }

  /** `servers`: of one hub. Each process with a full one is asked, and no other. */
  ask(servers: Iterable<PooledHost>): void {
    const all = [...servers];
    for (const server of all) {
      if (server.wouldTakeClients) this.askOne(server, all, this.#context.edgeId);
    }
  }

  /** Asks the process of `server` for a connection to that edge, unless it has enough here, or was asked of late. */
  askOne(server: PooledHost, servers: Iterable<PooledHost>, edgeId: string): void {
    const now = this.#context.time.now();
    for (const [serverId, at] of this.#asked) {
      if (now - at >= PATIENCE_MS) this.#asked.delete(serverId);
    }
    const { serverId } = server;
    if (this.#asked.has(serverId)) return;
    if ([...servers].filter((other) => other.serverId === serverId).length >= ENOUGH) return;
    this.#asked.set(serverId, now);
    server.write({ type: MessageType.Ping, entries: ['target', edgeId] });
    const details = { hub: this.#hub, serverId };
    this.#context.digest.info(details, 'app server asked for one more connection');
  }
}
