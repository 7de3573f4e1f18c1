import { TrunklineError } from '../errors.ts';
import type { HubLifetime } from '../hubs/filters.ts';
import { wrapped } from '../hubs/filters.ts';
import { bindHub } from '../hubs/hub.ts';
import type { LazySignal } from '../lazy-signal.ts';
import type { ClientConnection } from './client-connection.ts';
import { ClientScope } from './scope.ts';

/** A connection's lifecycle hooks, each on a hub object of its own, in the middle of the filters. */
export class Lifetime {
  readonly #client: ClientConnection;
  readonly #aborted: LazySignal;

  constructor(client: ClientConnection, aborted: LazySignal) {
    this.#client = client;
    this.#aborted = aborted;
  }

  /** Rejects with what a hook or a filter throws, as `disconnect` does. */
  async connect(): Promise<void> {
    const lifetime = this.#begin(refuseClientResults);
    await wrapped(
      this.#client.route.filters.connected,
      (filter, next) => filter(lifetime, next),
      () => lifetime.hub.onConnected(),
    );
  }

  /** The client has signed in anew, and the context has its claims. */
  async refreshed(): Promise<void> {
    await this.#begin(() => {}).hub.onAuthenticationRefresh();
  }

  async disconnect(error: Error | undefined): Promise<void> {
    const lifetime = this.#begin(() => {});
    await wrapped(
      this.#client.route.filters.disconnected,
      (filter, next) => filter(lifetime, error, next),
      () => lifetime.hub.onDisconnected(error),
    );
  }

  #begin(beforeInvoke: () => void): HubLifetime {
    const hub = this.#client.route.create();
    bindHub(hub, new ClientScope(this.#client, this.#aborted, beforeInvoke));
    return { hub, context: this.#client.context };
  }
}

/** The client's answer would wait behind the very hook that waits for it. */
function refuseClientResults(): void {
  throw new TrunklineError(
    'wrong-place',
    'Client results inside OnConnectedAsync Hub methods are not allowed.',
  );
}
