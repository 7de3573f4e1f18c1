import { randomUUID } from 'node:crypto';

import type { Subject } from '@microsoft/signalr';
import type { Identity } from '@trunkline/testing';
import { vi } from 'vitest';

import { Network } from '../chaos/network.ts';
import { HubClient } from '../edge/support/hub-client.ts';
import { buildConnection, type Target } from './build-connection.ts';
import { Client, DEADLINE_MS } from './client.ts';
import type { HubName } from './contract.ts';
import { entranceOf } from './entrance.ts';
import { appToken } from './identity.ts';
import { LIBRARIES } from './libraries.ts';
import type { AppServer, AppServerOptions } from './start-app-server.ts';
import { COMPANY, type ClientKind, type Variant } from './variants.ts';
import type { World } from './world.ts';

export interface ConnectOptions
  extends Identity, Pick<Target, 'allows' | 'withoutWebSockets' | 'poses'> {
  /** `main` when not given. */
  readonly hub?: HubName;
  /** One at each edge, which clients take in turn; the shared ones when not given. */
  readonly apps?: readonly AppServer[];
  /** The scenario's when not given. */
  readonly kind?: ClientKind;
  /** Where clients stay, or of a network in front of it: negotiates there with the edge, if there is one. */
  readonly via?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the client offers besides `message`. */
  readonly handlers?: Readonly<Record<string, (...args: never[]) => unknown>>;
  /** Where its kind can. */
  readonly reconnects?: boolean;
}

/** Tries again and again, soon, for as long as a test could wait. */
const SOON = {
  nextRetryDelayInMilliseconds: ({ elapsedMilliseconds }: { elapsedMilliseconds: number }) =>
    elapsedMilliseconds < DEADLINE_MS ? 50 : null,
};

/**
 * For clients that an edge should not let go of because their polls are late: this process may be busy
 * with one of them, or with another scenario's, for longer than an edge waits unless it is told to.
 * Longer than any scenario waits for anything.
 */
export const PATIENT = { maxPollIntervalSeconds: 60 } as const;

/**
 * One run of one scenario; what it opened ends with it. Where there are several edges, the first client
 * is at the first of them, the second at the second, and so on, round and round.
 */
export class Context implements AsyncDisposable {
  readonly kind: ClientKind;
  /** One at each edge. */
  readonly apps: readonly AppServer[];
  /** Clients of these can be here at the same time. */
  readonly company: readonly ClientKind[];
  readonly #world: World;
  readonly #owned: AsyncDisposable[] = [];
  /** Where clients of networks come out. */
  readonly #behind = new Map<string, string>();
  /** Where each client so far was sent to. */
  readonly #places: string[] = [];

  constructor(world: World, { kind, front }: Variant) {
    this.#world = world;
    this.apps = world.apps.get(front)!;
    this.kind = kind;
    this.company = COMPANY.filter(({ protocol }) => world.protocols.includes(protocol));
  }

  /** At the first edge, as the first client. */
  get app(): AppServer {
    return this.apps[0]!;
  }

  /** At the last edge: not with the first client, where there are several. */
  get farApp(): AppServer {
    return this.apps.at(-1)!;
  }

  /** How many clients there have been, started or not. */
  get clients(): number {
    return this.#places.length;
  }

  /** At how many edges they were. */
  get edges(): number {
    return new Set(this.#places.map((url) => this.#behind.get(url) ?? url)).size;
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
    const {
      hub = 'main',
      apps = this.apps,
      kind = this.kind,
      via,
      query = {},
      headers = {},
      handlers = {},
      reconnects = false,
      allows,
      withoutWebSockets,
      poses,
      ...identity
    } = options;
    const app = this.#seat(apps, via);
    const goesStraight = !kind.way.negotiates && app.edgeUrl !== undefined;
    const entrance = entranceOf(app, hub, via ?? (goesStraight ? app.clientUrl : undefined), query);
    const connection = buildConnection(kind, {
      url: entrance.url,
      token: () => entrance.token(identity),
      headers,
      reconnect: reconnects ? SOON : undefined,
      allows,
      withoutWebSockets,
      poses,
    });
    for (const [name, handler] of Object.entries(handlers)) connection.on(name, handler as Handler);
    return this.own(new Client(connection));
  }

  /** A client of every kind in company. */
  connectAll(options: ConnectOptions = {}): Promise<Client[]> {
    return Promise.all(this.company.map((kind) => this.connect({ ...PATIENT, ...options, kind })));
  }

  /** To upload with. */
  subject<T>(): Subject<T> {
    return new LIBRARIES[this.kind.version].signalr.Subject<T>();
  }

  /** A network to where clients of the last edge stay, and the URL at which they come in through it. */
  async network(): Promise<{ network: Network; via: string }> {
    const { clientUrl } = this.farApp;
    const network = this.own(await Network.start(clientUrl));
    const url = new URL(clientUrl);
    url.port = new URL(network.url).port;
    this.#behind.set(url.origin, clientUrl);
    return { network, via: url.origin };
  }

  /** What the app's negotiate answers. */
  async negotiateAtApp(identity: Identity): Promise<{ url: string; accessToken: string }> {
    const headers = { authorization: `Bearer ${appToken(identity)}` };
    const url = `${this.app.url}/main/negotiate?negotiateVersion=1`;
    const answer = await fetch(url, { method: 'POST', headers });
    return (await answer.json()) as { url: string; accessToken: string };
  }

  /** What the edge's negotiate answers a client with this token. */
  negotiateAtEdge(token: string): Promise<Response> {
    const hub = `${this.app.prefix}main`;
    const url = `${this.app.clientUrl}/client/negotiate?hub=${hub}&negotiateVersion=1`;
    return fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  }

  /** A client that shows every message and sends what it is told, in JSON. */
  async connectRaw(hub: HubName = 'main'): Promise<HubClient> {
    const app = this.#seat(this.apps);
    const { url, token } = entranceOf(app, hub, app.clientUrl);
    return this.own(await HubClient.connectAt(url, token({})));
  }

  /**
   * App servers with hub keys, and so with clients, of their own, one at each edge. What `options` does
   * not say is as with the shared one there.
   */
  startApps(
    options: (at: AppServer) => Partial<AppServerOptions> = () => ({}),
  ): Promise<AppServer[]> {
    const prefix = `p${randomUUID().replaceAll('-', '')}_`;
    const start = async (at: AppServer): Promise<AppServer> =>
      this.own(await this.#world.startApp(at, { prefix, ...options(at) }));
    return Promise.all(this.apps.map(start));
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

  /** The app server of the next client's edge. */
  #seat(apps: readonly AppServer[], via?: string): AppServer {
    const app = apps[this.#places.length % apps.length]!;
    this.#places.push(via ?? app.clientUrl);
    return app;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Clients before the servers and networks they were made with.
    for (const resource of this.#owned.toReversed()) await resource[Symbol.asyncDispose]();
  }
}

type Handler = (...args: unknown[]) => unknown;
