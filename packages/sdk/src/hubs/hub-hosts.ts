import { Budget } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import type { HubRoute } from '../clients/host.ts';
import type { Clock } from '../clock.ts';
import { settledWithin } from '../clock.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { badOptions } from '../errors.ts';
import type { ServerSettings } from '../options.ts';
import { Acks } from '../trunk/acks.ts';
import { HubHost } from './hub-host.ts';
import type { HubObserver } from './hub-receiver.ts';

const TICK_MS = 1000;
/** How long clients that are let go, or that the closing ends, may take for their `onDisconnected`. */
const FAREWELL_MS = 1_000;

export interface HubHostsOptions {
  readonly settings: ServerSettings;
  readonly endpoints: readonly Endpoint[];
  readonly clock: Clock;
  readonly observer: HubObserver;
}

/** The hubs of one server by their keys, and what they have together: acks, room, and the timer. */
export class HubHosts {
  readonly #options: HubHostsOptions;
  readonly #byKey = new Map<string, HubHost>();
  readonly #acks = new Acks();
  readonly #pending: Budget<ClientConnection>;
  #cancelTick = () => {};

  constructor(options: HubHostsOptions) {
    this.#options = options;
    this.#pending = new Budget(
      // The share of one client is its hub's to say: maximumPendingBytes.
      { total: options.settings.maximumTotalPendingBytes, share: Infinity },
      { evict: (client) => client.makeRoom(), refused: () => {} },
    );
  }

  get byKey(): ReadonlyMap<string, HubHost> {
    return this.#byKey;
  }

  /**
   * Adds a path to the hub of a key. Throws TrunklineError `bad-options` where they differ in whether
   * clients may be moved, which the service is told once for a hub.
   */
  add(key: string, route: HubRoute): HubHost {
    const { migration } = route.settings;
    const known = this.#byKey.get(key);
    if (known !== undefined && known.migration !== migration) {
      throw badOptions(
        `'${route.path}' has migration '${migration}', and another path of hub '${key}' has '${known.migration}'`,
      );
    }
    const host = known ?? this.#create(key, route);
    host.addRoute(route);
    return host;
  }

  /** Connects every hub; `Server.start` says how that ends. */
  async connect(): Promise<void> {
    await Promise.all(this.#all.map((host) => host.endpoints.start()));
  }

  /** Lets calls finish, and after the timeout lets go of the clients that are left; then closes. */
  async leave(timeout: number): Promise<void> {
    const hosts = this.#all;
    for (const { directories, endpoints } of hosts) {
      directories.watches.stop();
      endpoints.drain();
    }
    const { clock } = this.#options;
    const haveLeft = await settledWithin(clock, Promise.all(hosts.map(left)), timeout);
    const idle = () => Promise.all(hosts.map((host) => host.idle()));
    if (!haveLeft) {
      for (const host of hosts) host.letGo();
      await settledWithin(clock, idle(), FAREWELL_MS);
    }
    await Promise.all(hosts.map((host) => host.endpoints.close()));
    // The service may have opened clients until the very end.
    if (haveLeft) await settledWithin(clock, idle(), FAREWELL_MS);
    this.#cancelTick();
  }

  /** Starts the one timer of all clients, acks and server connections; it ends with `leave`. */
  tick(): void {
    const { clock } = this.#options;
    const now = clock.now();
    this.#acks.expire(now);
    for (const host of this.#byKey.values()) host.tick(now);
    this.#cancelTick = clock.after(TICK_MS, () => this.tick());
  }

  get #all(): HubHost[] {
    return [...this.#byKey.values()];
  }

  #create(hub: string, { settings: { migration } }: HubRoute): HubHost {
    const { settings, endpoints, clock, observer } = this.#options;
    const { connectionCount, spreadOverEdges, maximumOutboundBytes, logger, router } = settings;
    const host = new HubHost({
      hub,
      endpoints,
      router,
      count: connectionCount,
      spreads: spreadOverEdges,
      maximumOutboundBytes,
      migration,
      clock,
      logger,
      acks: this.#acks,
      pending: this.#pending,
      observer,
      totalClients: () => this.#totalClients(),
    });
    this.#byKey.set(hub, host);
    return host;
  }

  #totalClients(): number {
    let total = 0;
    for (const host of this.#byKey.values()) total += host.clientCount;
    return total;
  }
}

/** Until the service assigns no more clients, a hub without any may get one again. */
async function left(host: HubHost): Promise<void> {
  await host.endpoints.finished();
  await host.idle();
}
