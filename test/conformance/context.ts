import { randomUUID } from 'node:crypto';

import type { Subject } from '@microsoft/signalr';
import type { Identity, StartedEdge } from '@trunkline/testing';
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
  /** The shared app server when not given. */
  readonly app?: AppServer;
  /** The scenario's when not given. */
  readonly kind?: ClientKind;
  /** Of a network to where clients stay: negotiates there with the edge, if there is one. */
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

/** One run of one scenario; what it opened ends with it. */
export class Context implements AsyncDisposable {
  readonly kind: ClientKind;
  readonly app: AppServer;
  /** Clients of these can be here at the same time. */
  readonly company: readonly ClientKind[];
  readonly #world: World;
  readonly #owned: AsyncDisposable[] = [];

  constructor(world: World, { kind, front }: Variant) {
    this.#world = world;
    this.app = world.apps.get(front)!;
    this.kind = kind;
    this.company = COMPANY.filter(({ protocol }) => world.protocols.includes(protocol));
  }

  /** For scenarios without control alone. */
  get edge(): StartedEdge {
    const { edge } = this.#world;
    if (edge === undefined) throw new Error('the control has no edge: say so in the scenario');
    return edge;
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
      app = this.app,
      kind = this.kind,
      via = kind.way.negotiates || app.direct ? undefined : app.clientUrl,
      query = {},
      headers = {},
      handlers = {},
      reconnects = false,
      allows,
      withoutWebSockets,
      poses,
      ...identity
    } = options;
    const entrance = entranceOf(app, hub, via, query);
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
    return Promise.all(this.company.map((kind) => this.connect({ ...options, kind })));
  }

  /** To upload with. */
  subject<T>(): Subject<T> {
    return new LIBRARIES[this.kind.version].signalr.Subject<T>();
  }

  /** A network to where clients stay, and the URL at which they come in through it. */
  async network(): Promise<{ network: Network; via: string }> {
    const network = this.own(await Network.start(this.app.clientUrl));
    const url = new URL(this.app.clientUrl);
    url.port = new URL(network.url).port;
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
  async connectRaw(hub: HubName = 'main', app: AppServer = this.app): Promise<HubClient> {
    const { url, token } = entranceOf(app, hub, app.clientUrl);
    return this.own(await HubClient.connectAt(url, token({})));
  }

  /** An app server with hub keys, and so with clients, of its own. */
  async startApp(options: Partial<AppServerOptions> = {}): Promise<AppServer> {
    const prefix = `p${randomUUID().replaceAll('-', '')}_`;
    return this.own(
      await this.#world.startApp({ clientUrl: this.app.clientUrl, prefix, ...options }),
    );
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
