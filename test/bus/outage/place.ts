import { createServer, Hub, type HubHandle, type Server } from '@trunkline/sdk';
import { freePort, startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { vi } from 'vitest';

import { Inquiry } from './inquiry.ts';
import { Listener } from './listener.ts';
import { ReadinessLog } from './readiness.ts';
import { type DutyClient, Speech } from './speech.ts';

export const HUB = 'duty';
/** Whom all clients are in. */
export const GROUP = 'everybody';
/** For what takes a moment, on a machine that is busy with other tests. */
export const PATIENCE = { timeout: 60_000, interval: 50 };
const CLIENTS = 3;
/** It would say that an edge does not answer, which is what happens here. */
const QUIET = { info() {}, warn() {}, error() {} };

class Duty extends Hub<DutyClient> {
  echo(number: number): number {
    return number;
  }
}

/** An edge, the app server that has dialled it, and clients of that edge. */
export class Place implements AsyncDisposable {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #server: Server;
  readonly desk: HubHandle<DutyClient>;
  /** The one of now: an edge that is started again is another process. */
  edge: StartedEdge;
  readonly readiness: ReadinessLog;
  /** The latest, and those before them, which went with their edge. */
  listeners: Listener[] = [];
  readonly former: Listener[] = [];
  #speech: Speech | undefined;
  #inquiry: Inquiry | undefined;

  static async start(name: string, bus: string): Promise<Place> {
    const args = ['--bus', bus, '--edge-id', name, '--port', `${await freePort()}`];
    const place = new Place(name, args, await startEdge({ args }));
    await place.#server.start();
    await place.connectListeners();
    return place;
  }

  private constructor(name: string, args: readonly string[], edge: StartedEdge) {
    this.name = name;
    this.#args = args;
    this.edge = edge;
    const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
    this.#server = createServer({ connectionString, logger: QUIET });
    this.desk = this.#server.hub('/duty', Duty, { hub: HUB });
    this.readiness = new ReadinessLog(() => this.edge.adminUrl);
  }

  /** The user of a client of this edge, to whom app servers of other edges speak. */
  get user(): string {
    return `user ${this.name}0`;
  }

  get speech(): Speech {
    if (this.#speech === undefined) throw new Error('nothing has been said yet');
    return this.#speech;
  }

  get inquiry(): Inquiry {
    if (this.#inquiry === undefined) throw new Error('nothing has been asked yet');
    return this.#inquiry;
  }

  async connectListeners(): Promise<void> {
    const listeners: Listener[] = [];
    for (let n = 0; n < CLIENTS; n++) {
      const listener = await this.connect(`user ${this.name}${n}`);
      await this.desk.groups.add(listener.id, GROUP);
      listeners.push(listener);
    }
    this.listeners = listeners;
  }

  connect(userId: string): Promise<Listener> {
    return Listener.connect(this.edge.url, HUB, userId);
  }

  /** Has everybody here speak, ask and call from now on. */
  begin(others: readonly Place[]): void {
    this.#speech = new Speech(this.name, this.desk.clients, GROUP, others);
    this.#inquiry = new Inquiry(this.desk, others);
    this.#speech.start();
    this.#inquiry.start();
    for (const listener of this.listeners) listener.startCalling();
  }

  /** Ends all that; resolves when what was asked is answered. */
  async end(): Promise<void> {
    this.speech.stop();
    await Promise.all([
      this.inquiry.stop(),
      this.readiness.stop(),
      ...this.listeners.map((listener) => listener.stopCalling()),
    ]);
  }

  async killEdge(): Promise<void> {
    this.edge.child.kill('SIGKILL');
    await this.edge.exited;
  }

  /** Under the same id, and at the same port. */
  async startEdgeAgain(): Promise<void> {
    this.edge = await startEdge({ args: this.#args });
  }

  /** The app server finds its edge again, and other clients come. */
  async comeBack(): Promise<void> {
    await vi.waitFor(() => this.desk.groupExists(GROUP), PATIENCE);
    this.former.push(...this.listeners);
    await this.connectListeners();
    for (const listener of this.listeners) listener.startCalling();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that is frozen would not stop.
    this.edge.thaw();
    this.#speech?.stop();
    await this.readiness.stop();
    await Promise.all(this.listeners.map((listener) => listener.stop()));
    await this.#server.stop({ timeout: 0 });
    await this.edge.stop();
  }
}
