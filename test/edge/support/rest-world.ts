import { createServer, Hub } from '@trunkline/sdk';
import type { Server } from '@trunkline/sdk';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import type { ClusterEdge } from './edge-cluster.ts';
import { EdgeCluster } from './edge-cluster.ts';
import type { RestClient } from './rest.ts';
import { connectClient } from './rest.ts';

class Chat extends Hub {
  echo(value: unknown): unknown {
    return value;
  }
  /** A stream of nothing, which ends with its client. */
  async *nothing(): AsyncGenerator<never> {
    const { signal } = this;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    yield* [];
  }
}

/** Edges with an app server at each, for REST calls and the clients that they are about. */
export class RestWorld implements AsyncDisposable {
  readonly edges: readonly ClusterEdge[];
  readonly #cluster: EdgeCluster;
  readonly #servers: readonly Server[];

  static async open(edgeCount: number): Promise<RestWorld> {
    const cluster = await EdgeCluster.open(edgeCount);
    const servers = await Promise.all(
      cluster.edges.map(async ({ url }) => {
        const connectionString = formatConnectionString(url, DEVELOPMENT_ACCESS_KEY);
        const server = createServer({ connectionString });
        server.hub('/chat', Chat);
        server.hub('/app', Chat, { hub: 'app_chat' });
        await server.start();
        return server;
      }),
    );
    return new RestWorld(cluster, servers);
  }

  private constructor(cluster: EdgeCluster, servers: readonly Server[]) {
    this.#cluster = cluster;
    this.edges = cluster.edges;
    this.#servers = servers;
  }

  /** Where calls go: another edge than those that the clients are at, where there are several. */
  get url(): string {
    return this.edges.at(-1)!.url;
  }

  async people(user: string): Promise<People> {
    const [first, second] = [this.edges[0]!, this.edges[1] ?? this.edges[0]!];
    const [json, messagepack] = await Promise.all([
      connectClient(first.url, { user }),
      connectClient(second.url, { user, protocol: 'messagepack' }),
    ]);
    return new People(json, messagepack);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop({ timeout: 1 })));
    await this.#cluster[Symbol.asyncDispose]();
  }
}

/** Two connections of one user, at different edges where there are several. */
export class People implements AsyncDisposable {
  readonly json: RestClient;
  readonly messagepack: RestClient;

  constructor(json: RestClient, messagepack: RestClient) {
    this.json = json;
    this.messagepack = messagepack;
  }

  get both(): readonly [RestClient, RestClient] {
    return [this.json, this.messagepack];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.both.map(({ connection }) => connection.stop()));
  }
}
