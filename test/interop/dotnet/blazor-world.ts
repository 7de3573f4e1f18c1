import { once } from 'node:events';

import { startEdge, type StartedEdge, TcpProxy } from '@trunkline/testing';

import { azureSettings, negotiates } from './hub-app.ts';
import type { RestoredPart, StartedApp } from './part.ts';

/** The app under an address that stays when it is started again, and a network to break. */
export class BlazorWorld implements AsyncDisposable {
  /** Of the page. */
  readonly url: string;
  /** What circuits go through: in front of the edge, or of the app where there is none. */
  readonly network: TcpProxy;
  readonly #part: RestoredPart;
  readonly #front: TcpProxy;
  readonly #edge: StartedEdge | undefined;
  #app: StartedApp | undefined;

  static async start(part: RestoredPart, service: boolean): Promise<BlazorWorld> {
    const edge = service ? await startEdge() : undefined;
    const front = await TcpProxy.start();
    const network = edge ? await TcpProxy.start(edge.url) : front;
    const world = new BlazorWorld(part, front, network, edge);
    await world.startApp();
    return world;
  }

  private constructor(
    part: RestoredPart,
    front: TcpProxy,
    network: TcpProxy,
    edge: StartedEdge | undefined,
  ) {
    this.#part = part;
    this.#front = front;
    this.#edge = edge;
    this.network = network;
    this.url = front.url;
  }

  /** Resolves once circuits can be opened. */
  async startApp(): Promise<void> {
    const edge = this.#edge;
    this.#app = await this.#part.start(edge ? azureSettings(edge.url, this.network.url) : {});
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
    await this.#edge?.stop();
    await this.#front[Symbol.asyncDispose]();
    if (this.network !== this.#front) await this.network[Symbol.asyncDispose]();
  }
}
