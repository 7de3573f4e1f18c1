import { randomUUID } from 'node:crypto';

import { startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';
import { vi } from 'vitest';

import { HubClient } from '../edge/support/hub-client.ts';
import { Client, DEADLINE_MS } from './client.ts';
import type { HubName, Identity } from './contract.ts';
import { type AppServer, type AppServerOptions, startAppServer } from './start-app-server.ts';
import { type ClientVariant, VARIANTS } from './variants.ts';

/** What all scenarios share. */
export interface World extends AsyncDisposable {
  readonly edge: StartedEdge;
  readonly app: AppServer;
}

export interface ConnectOptions extends Identity {
  /** `main` when not given. */
  readonly hub?: HubName;
  /** The shared app server when not given. */
  readonly app?: AppServer;
  /** The scenario's variant when not given. */
  readonly variant?: ClientVariant;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the client offers besides `message`. */
  readonly handlers?: Readonly<Record<string, (...args: never[]) => unknown>>;
  readonly reconnects?: boolean;
}

/** Tries again and again, soon, for as long as a test could wait. */
const SOON = {
  nextRetryDelayInMilliseconds: ({ elapsedMilliseconds }: { elapsedMilliseconds: number }) =>
    elapsedMilliseconds < DEADLINE_MS ? 50 : null,
};

export async function startWorld(): Promise<World> {
  const edge = await startEdge();
  try {
    const app = await startAppServer({ edgeUrl: edge.url });
    const stop = async (): Promise<void> => {
      await app.stop();
      await edge.stop();
    };
    return { edge, app, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await edge.stop();
    throw error;
  }
}

/** One run of one scenario; what it opened ends with it. */
export class Context implements AsyncDisposable {
  readonly variant: ClientVariant;
  readonly edge: StartedEdge;
  readonly app: AppServer;
  readonly #owned: AsyncDisposable[] = [];

  constructor({ edge, app }: World, variant: ClientVariant) {
    this.edge = edge;
    this.app = app;
    this.variant = variant;
  }

  /** A name that no other run uses. */
  unique(name: string): string {
    return `${name} ${randomUUID()}`;
  }

  /** A started client. */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    const client = this.client(options);
    await client.connection.start();
    return client;
  }

  /** A client that has not been started. */
  client(options: ConnectOptions = {}): Client {
    const { hub = 'main', app = this.app, variant = this.variant, headers = {} } = options;
    const { query = {}, handlers = {}, reconnects = false, userId, claims } = options;
    const key = `${app.prefix}${hub}`;
    const parameters = new URLSearchParams(query).toString();
    const token = { key: DEVELOPMENT_ACCESS_KEY, audienceBase: 'http://edge/', hub: key };
    const identity: Identity = {
      ...(userId === undefined ? {} : { userId }),
      ...(claims === undefined ? {} : { claims }),
    };
    const connection = variant.build({
      negotiateUrl: `${app.url}/${hub}?${parameters}`,
      appToken: Buffer.from(JSON.stringify(identity)).toString('base64url'),
      directUrl: `${app.clientUrl}/client/?hub=${key}&${parameters}`,
      edgeToken: mintClientToken({ ...token, ...identity }),
      headers,
      reconnect: reconnects ? SOON : undefined,
    });
    for (const [name, handler] of Object.entries(handlers)) connection.on(name, handler as Handler);
    return this.own(new Client(connection));
  }

  /** A client of every variant. */
  connectAll(options: ConnectOptions = {}): Promise<Client[]> {
    return Promise.all(VARIANTS.map((variant) => this.connect({ ...options, variant })));
  }

  /** A client that shows every message and sends what it is told, in JSON. */
  async connectRaw(hub: HubName = 'main', app: AppServer = this.app): Promise<HubClient> {
    return this.own(await HubClient.connect(this.edge.url, { hub: `${app.prefix}${hub}` }));
  }

  /** An app server with hub keys, and so with clients, of its own. */
  async startApp(options: Partial<AppServerOptions> = {}): Promise<AppServer> {
    const prefix = `p${randomUUID().replaceAll('-', '')}_`;
    return this.own(await startAppServer({ edgeUrl: this.edge.url, prefix, ...options }));
  }

  /** Ends with the scenario. */
  own<T extends AsyncDisposable>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  /** Waits until what `look` finds is what is expected. */
  async eventually(look: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(look, { timeout: DEADLINE_MS, interval: 20 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients before the servers and networks they were made with.
    for (const resource of this.#owned.toReversed()) await resource[Symbol.asyncDispose]();
  }
}

type Handler = (...args: unknown[]) => unknown;

/** One behaviour that every row of the matrix must show. */
export interface Scenario {
  readonly name: string;
  run(context: Context): Promise<void>;
}
