import { CLIENT_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import type { HubClient } from '../sessions/hub-client.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';

/**
 * Clients that have lost the line to their app server's edge and found no other app server: each is to
 * connect again, under a new id. While the bus is away, app servers of other edges cannot be found, so a
 * client waits until every other edge has told how it is, or counts as gone.
 */
export class Stranded {
  readonly #context: CoreContext;
  readonly #waiting = new Map<HubClient, HubRuntime>();
  /** Edges whose word they wait for. */
  readonly #awaited = new Set<string>();

  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** It waits for the word of these edges: of none where the bus is there. */
  add(client: HubClient, hub: HubRuntime, edges: readonly string[]): void {
    for (const edgeId of edges) this.#awaited.add(edgeId);
    this.#waiting.set(client, hub);
    this.#endUnlessAwaited();
  }

  /** An edge has told how it is, and has got those clients that it can have; or it is gone. */
  heardOf(edgeId: string): void {
    if (this.#awaited.delete(edgeId)) this.#endUnlessAwaited();
  }

  /** At a pace: a thousand do not come back in one instant. */
  #endUnlessAwaited(): void {
    if (this.#awaited.size > 0) return;
    for (const [client, hub] of this.#waiting) {
      this.#context.pacedCloses.add(client, () => this.#end(client, hub));
    }
    this.#waiting.clear();
  }

  #end(client: HubClient, hub: HubRuntime): void {
    // An app server may have come by now.
    if (!hub.waiting.has(client)) return;
    if (client.ready) this.#context.counters.migrations.add('no_server');
    client.close(CLIENT_CLOSE_REASONS.serverConnectionClosed);
  }
}
