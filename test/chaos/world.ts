import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';
import { vi } from 'vitest';

import { Client } from '../conformance/client.ts';
import { HubClient } from '../edge/support/hub-client.ts';
import { census } from './census.ts';
import { Network } from './network.ts';
import {
  type AppServer,
  type AppServerOptions,
  CONNECTIONS,
  startAppServer,
} from './start-app-server.ts';

/** For one test; the longest waits for 36 s of silence. */
export const TEST_MS = 160_000;
/** Past every deadline of an edge, an app server or a client. */
const PATIENCE_MS = 40_000;

export interface WorldOptions {
  /** Flags of the edge. */
  readonly args?: readonly string[];
  /** The names of the app servers that are there from the start; one when not given. */
  readonly apps?: readonly string[];
  /** Of the hub key. */
  readonly hub?: string;
  readonly key?: string;
  readonly clientTimeout?: number;
  /** Of the app servers' hub; `always` when not given. */
  readonly migration?: AppServerOptions['migration'];
}

export interface ClientOptions {
  /** Connects through this network, with one connection and no negotiate. */
  readonly through?: Network;
  /** Of its token; the world's when not given. */
  readonly key?: string;
}

/** One edge, app servers and clients, all real; what is opened here ends with it. */
export class World implements AsyncDisposable {
  readonly hub: string;
  /** Every app server there ever was. */
  readonly apps: AppServer[] = [];
  /** Open files of an edge with no connection but that of the scrape. */
  bareDescriptors = 0;
  readonly #options: WorldOptions;
  readonly #clients: (Client | HubClient)[] = [];
  readonly #owned: AsyncDisposable[] = [];
  #edge: StartedEdge;
  #mayDial = Promise.resolve();
  #release = () => {};

  /** Resolves when all server connections are there. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(await startEdge({ args: options.args ?? [] }), options);
    try {
      ({ descriptors: world.bareDescriptors } = await census(world.edge));
      for (const name of options.apps ?? ['A']) await world.startApp({ name });
      await world.serverConnections((options.apps?.length ?? 1) * CONNECTIONS);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(edge: StartedEdge, options: WorldOptions) {
    this.#edge = edge;
    this.#options = options;
    this.hub = options.hub ?? 'chaos';
  }

  get edge(): StartedEdge {
    return this.#edge;
  }

  /** Starts another edge with the flags of the one before, which must have ended. */
  async startEdgeAgain(): Promise<void> {
    this.#edge = await startEdge({ args: this.#options.args ?? [] });
  }

  async startApp(options: Partial<AppServerOptions> = {}): Promise<AppServer> {
    const { key, clientTimeout, migration } = this.#options;
    const app = await startAppServer({
      edgeUrl: this.edge.url,
      hub: this.hub,
      ...(key === undefined ? {} : { key }),
      ...(clientTimeout === undefined ? {} : { clientTimeout }),
      ...(migration === undefined ? {} : { migration }),
      ...options,
    });
    this.apps.push(app);
    return app;
  }

  /** A network to the edge. */
  async network(delayMs = 0): Promise<Network> {
    const network = await Network.start(this.edge.url, delayMs);
    this.#owned.push(network);
    return network;
  }

  /** A started official client that reconnects, when and as often as it does by itself. */
  async connect(options: ClientOptions = {}): Promise<Client> {
    const client = this.client(options);
    await client.connection.start();
    return client;
  }

  /** The same, not started. */
  client({ through, key = this.#options.key }: ClientOptions = {}): Client {
    const token = {
      key: key ?? DEVELOPMENT_ACCESS_KEY,
      audienceBase: 'http://edge/',
      hub: this.hub,
    };
    const connection = new HubConnectionBuilder()
      .withUrl(`${(through ?? this.edge).url}/client/?hub=${this.hub}`, {
        transport: HttpTransportType.WebSockets,
        skipNegotiation: through !== undefined,
        accessTokenFactory: () => this.#mayDial.then(() => mintClientToken(token)),
      })
      .withAutomaticReconnect()
      .configureLogging(LogLevel.None)
      .build();
    const client = new Client(connection);
    this.#clients.push(client);
    return client;
  }

  /** Clients of this world that dial from now on wait until what is returned has been called. */
  holdClients(): () => void {
    this.#mayDial = new Promise((resolve) => (this.#release = resolve));
    return this.#release;
  }

  connectAll(count: number): Promise<Client[]> {
    return Promise.all(Array.from({ length: count }, () => this.connect()));
  }

  /** A client that shows the hub's messages and never comes back. */
  async observe(): Promise<HubClient> {
    const client = await HubClient.connect(this.edge.url, { hub: this.hub });
    this.#clients.push(client);
    return client;
  }

  /** The clients of each app server, by its name. */
  async servedBy(clients: readonly Client[]): Promise<Map<string, Client[]>> {
    const names = await Promise.all(clients.map((client) => client.invoke<string>('server')));
    const byName = new Map<string, Client[]>();
    names.forEach((name, at) => {
      byName.set(name, [...(byName.get(name) ?? []), clients[at]!]);
    });
    return byName;
  }

  /** Waits until the edge has so many server connections. */
  serverConnections(count: number): Promise<void> {
    return this.eventually(async () => {
      const { servers } = await census(this.edge);
      if (servers !== count) throw new Error(`${servers} server connections, not ${count}`);
    });
  }

  /** Has every client leave. */
  async stopClients(): Promise<void> {
    this.#release();
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }

  /** Waits until what `look` finds is what is expected. */
  async eventually(look: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(look, { timeout: PATIENCE_MS, interval: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopClients();
    for (const resource of this.#owned) await resource[Symbol.asyncDispose]();
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.edge.stop();
  }
}
