import { once } from 'node:events';

import { startEdge, startRoundRobinProxy, TcpProxy } from '@trunkline/testing';

import { NATS_ENGINE, startCluster } from '../../bus/engines.ts';

import { azureSettings, negotiates } from './hub-app.ts';
import type { RestoredPart, StartedApp } from './part.ts';

/**
 * What is between the app and its pages: nothing; an edge; or three of them, behind one address that gives
 * every new connection to another one.
 */
export type Between = 'nothing' | 'edge' | 'edges';

const EDGES = 3;

/** The address of what is between, and its end. */
interface Service extends AsyncDisposable {
  readonly url: string;
}

/** The app under an address that stays when it is started again, and a network to break. */
export class BlazorWorld implements AsyncDisposable {
  /** Of the page. */
  readonly url: string;
  /** What circuits go through: in front of the edge, or of the app where there is none. */
  readonly network: TcpProxy;
  readonly #part: RestoredPart;
  readonly #front: TcpProxy;
  readonly #service: Service | undefined;
  #app: StartedApp | undefined;

  static async start(part: RestoredPart, between: Between): Promise<BlazorWorld> {
    const service = await startService(between);
    const front = await TcpProxy.start();
    const network = service ? await TcpProxy.start(service.url) : front;
    const world = new BlazorWorld(part, front, network, service);
    await world.startApp();
    return world;
  }

  private constructor(
    part: RestoredPart,
    front: TcpProxy,
    network: TcpProxy,
    service: Service | undefined,
  ) {
    this.#part = part;
    this.#front = front;
    this.#service = service;
    this.network = network;
    this.url = front.url;
  }

  /** Resolves once circuits can be opened. */
  async startApp(): Promise<void> {
    const service = this.#service;
    this.#app = await this.#part.start(service ? azureSettings(service.url, this.network.url) : {});
    this.#front.target = this.#app.url;
    await negotiates(`${this.#app.url}/_blazor`);
  }

  /** Ends the app, and gives the instant of its end in milliseconds since 1970. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    const app = this.#app!;
    this.#front.target = undefined;
    app.child.kill(signal);
    await once(app.child, 'exit');
    return Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app?.stop();
    await this.#service?.[Symbol.asyncDispose]();
    await this.#front[Symbol.asyncDispose]();
    if (this.network !== this.#front) await this.network[Symbol.asyncDispose]();
  }
}

async function startService(between: Between): Promise<Service | undefined> {
  if (between === 'nothing') return undefined;
  if (between === 'edge') return startEdge();
  const cluster = await startCluster(NATS_ENGINE, EDGES);
  const proxy = await startRoundRobinProxy(cluster.edges.map(({ url }) => url));
  return {
    url: proxy.url,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
