import { randomUUID } from 'node:crypto';

import {
  type HttpClient,
  HttpTransportType,
  HubConnectionBuilder,
  type IHubProtocol,
  JsonHubProtocol,
  LogLevel,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import {
  type DotnetStandIn,
  type DotnetStandInOptions,
  type ProfileName,
  startDotnetStandIn,
  startEdge,
  type StartedEdge,
} from '@trunkline/testing';
import { vi } from 'vitest';

import { Network } from '../../chaos/network.ts';
import { Client } from '../../conformance/client.ts';
import { HubClient } from '../../edge/support/hub-client.ts';

/** For one test; the longest waits for a silence to be noticed, and what comes of it. */
export const TEST_MS = 120_000;
const PATIENCE_MS = 40_000;

const PROTOCOLS = {
  json: () => new JsonHubProtocol(),
  messagepack: () => new MessagePackHubProtocol(),
} satisfies Record<string, () => IHubProtocol>;

export type ProtocolName = keyof typeof PROTOCOLS;

export interface ClientOptions {
  /** `main` when not given. */
  readonly hub?: 'main' | 'other' | 'detailed' | 'impatient';
  /** `json` when not given. */
  readonly protocol?: ProtocolName;
  /** WebSockets when not given. */
  readonly transport?: HttpTransportType;
  /** Who it says it is to the app's negotiate: what the stand-in takes for a sign-in. */
  readonly identity?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What its requests go through; the library's own when not given. */
  readonly httpClient?: HttpClient;
  /** What it answers when the hub asks. */
  readonly confirm?: (question: string) => unknown;
}

/** An edge with stand-ins for .NET app servers; what is opened here ends with it. */
export class World implements AsyncDisposable {
  readonly edge: StartedEdge;
  readonly #owned: AsyncDisposable[] = [];
  readonly #apps: DotnetStandIn[] = [];

  static async start(args: readonly string[] = []): Promise<World> {
    return new World(await startEdge({ args }));
  }

  private constructor(edge: StartedEdge) {
    this.edge = edge;
    this.#owned.push(edge);
  }

  /** With clients of its own, unless it is given the prefix of another. */
  async startApp(
    profile: ProfileName,
    options: Partial<DotnetStandInOptions> = {},
  ): Promise<DotnetStandIn> {
    const app = await startDotnetStandIn({
      edgeUrl: this.edge.url,
      clientUrl: this.edge.url,
      prefix: unique('p_'),
      profile,
      connections: 2,
      parallel: 2,
      ...options,
    });
    this.#owned.push(app);
    this.#apps.push(app);
    return app;
  }

  /** One between app servers and the edge. */
  async network(): Promise<Network> {
    const network = await Network.start(this.edge.url);
    this.#owned.push(network);
    return network;
  }

  /** A started official client, sent to the edge by the app server's negotiate. */
  async connect(app: DotnetStandIn, options: ClientOptions = {}): Promise<Client> {
    const client = this.client(app, options);
    await client.connection.start();
    return client;
  }

  /** The same, not started. */
  client(app: DotnetStandIn, options: ClientOptions = {}): Client {
    const { hub = 'main', protocol = 'json', identity = {}, query = {}, headers = {} } = options;
    const { transport = HttpTransportType.WebSockets, httpClient, confirm } = options;
    const signIn = Buffer.from(JSON.stringify(identity)).toString('base64url');
    const connection = new HubConnectionBuilder()
      .withUrl(`${app.url}/${hub}?${new URLSearchParams(query).toString()}`, {
        transport,
        accessTokenFactory: () => signIn,
        headers,
        ...(httpClient && { httpClient }),
      })
      .withHubProtocol(PROTOCOLS[protocol]())
      .withAutomaticReconnect([0, 50, 100, 200, 400])
      .configureLogging(LogLevel.None)
      .build();
    if (confirm !== undefined) connection.on('confirm', confirm);
    const client = new Client(connection);
    this.#owned.push(client);
    return client;
  }

  /** A client that shows the hub's messages and never comes back. */
  async observe(app: DotnetStandIn, hub = 'main'): Promise<HubClient> {
    const client = await HubClient.connect(this.edge.url, { hub: `${app.prefix}${hub}` });
    this.#owned.push(client);
    return client;
  }

  /**
   * What app servers have logged about the edge's messages: each of them would be a client lost, or
   * one that nobody serves (service protocol reference, section 20.3).
   */
  complaints(): string[] {
    return this.#apps.flatMap((app) => app.output().match(/^log (?!Failed to connect).*$/gm) ?? []);
  }

  /** Waits until what `look` finds is what is expected. */
  async eventually(look: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(look, { timeout: PATIENCE_MS, interval: 20 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#owned.toReversed()) await resource[Symbol.asyncDispose]();
  }
}

/** A name that no other test uses. */
export function unique(name: string): string {
  return `${name}${randomUUID().replaceAll('-', '')}`;
}

/** What happened to a connection at an app server, in order. */
export function fate(app: DotnetStandIn, connectionId: string): string[] {
  const lines = app.output().matchAll(/^client (\S+) (.*)$/gm);
  return [...lines].filter(([, id]) => id === connectionId).map(([, , what]) => what!);
}
