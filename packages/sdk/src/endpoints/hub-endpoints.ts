import type { Payloads } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import { badOptions, TrunklineError } from '../errors.ts';
import type { Destination } from '../sending/destination.ts';
import { orderKey, toConnections } from '../sending/destination.ts';
import type { ConnectionPool, PoolOptions } from '../trunk/connection-pool.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import type { Endpoint } from './endpoint.ts';
import { Line } from './line.ts';
import type { EndpointRouter, HubEndpoint, NegotiatingClient, SendTarget } from './router.ts';
import { roomiest, sendTarget } from './router.ts';

const STATUS_MS = 10_000;

export interface HubEndpointsOptions extends Omit<PoolOptions, 'endpoint'> {
  readonly endpoints: readonly Endpoint[];
  readonly router: EndpointRouter;
}

/** The client for whose hub something is sent, so that its order is kept. */
export interface Flow {
  readonly id: string;
  readonly trunk: ServerConnection;
}

/** The endpoints of one hub, with a pool of server connections to each. */
export class HubEndpoints {
  readonly #hub: string;
  readonly #router: EndpointRouter;
  readonly #lines: readonly Line[];
  #started = false;
  #nextStatus = 0;

  constructor({ endpoints, router, ...options }: HubEndpointsOptions) {
    this.#hub = options.hub;
    this.#router = router;
    this.#lines = endpoints.map((endpoint) => new Line({ ...options, endpoint }));
  }

  /** Every endpoint with its pool, primary or not, online or not. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /**
   * Resolves when each endpoint has been tried and one is connected. Rejects when one does not know
   * its access key, and when stopped before.
   */
  async start(): Promise<void> {
    for (const { pool } of this.#lines) pool.start();
    await Promise.all(this.#lines.map(({ pool }) => pool.reachability.tried));
    await Promise.race(this.#lines.map(({ pool }) => pool.reachability.ready));
    this.#started = true;
  }

  drain(): void {
    for (const { pool } of this.#lines) pool.drain();
  }

  /** Resolves when no endpoint assigns clients here any more. */
  async finished(): Promise<void> {
    await Promise.all(this.#lines.map(({ pool }) => pool.finished()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lines.map(({ pool }) => pool.close()));
  }

  connections(): ServerConnection[] {
    return this.#lines.flatMap(({ pool }) => pool.connections());
  }

  poolOf({ endpoint }: ServerConnection): ConnectionPool {
    return this.#lines.find((line) => line.endpoint === endpoint)!.pool;
  }

  /** To be called about every second. */
  tick(now: number): void {
    for (const { pool } of this.#lines) pool.tick();
    // The rest is what only several endpoints need.
    if (!this.#started || this.#lines.length === 1) return;
    this.#failOver();
    if (now < this.#nextStatus) return;
    this.#nextStatus = now + STATUS_MS;
    // The answer tells how loaded an endpoint is (service protocol reference, section 7.4).
    for (const { pool } of this.#lines) {
      pool.find('')?.post({ type: MessageType.Ping, entries: ['status', '1'] });
    }
  }

  /** The endpoint for a client; undefined when there is none. Rejects with what the router throws. */
  async choose(client: Omit<NegotiatingClient, 'hub'>): Promise<Endpoint | undefined> {
    const online = this.#lines.filter((line) => line.online);
    if (online.length === 0) return undefined;
    if (this.#router.negotiate === undefined) return roomiest(online)?.endpoint;
    const chosen = await this.#router.negotiate({ ...client, hub: this.#hub }, online);
    return chosen && this.#line(chosen).endpoint;
  }

  /**
   * Hands a message to every endpoint that it is for. Throws TrunklineError when one of them cannot
   * take it, and `not-connected` when none is online.
   */
  send(message: Destination & { readonly payloads: Payloads }, flow?: Flow): void {
    const key = orderKey(message);
    let failure: Error | undefined;
    let sent = 0;
    for (const { pool } of this.#linesFor(message)) {
      const connection = connectionOf(pool, key, flow);
      if (connection === undefined) continue;
      try {
        connection.send(message);
        sent++;
      } catch (error) {
        failure = error as Error;
      }
    }
    if (failure !== undefined) throw failure;
    if (sent === 0) throw this.#notConnected();
  }

  /**
   * One server connection for each endpoint where the connection `id` may be: one in all where
   * `known`, the connection's own, tells which. Throws TrunklineError `not-connected`.
   */
  connectionsTo(id: string, known?: Flow, flow = known): ServerConnection[] {
    const pools =
      known === undefined
        ? this.#linesFor(toConnections(id)!).map(({ pool }) => pool)
        : [this.poolOf(known.trunk)];
    const connections = pools.flatMap((pool) => connectionOf(pool, id, flow) ?? []);
    if (connections.length === 0) throw this.#notConnected();
    return connections;
  }

  /** The online endpoints that a question is for. Throws TrunklineError `not-connected`. */
  linesAbout(target: SendTarget): readonly Line[] {
    const lines = this.#routed(target).filter(({ online }) => online);
    if (lines.length === 0) throw this.#notConnected();
    return lines;
  }

  /** The server connection there that the flow or else the key takes. Throws `not-connected`. */
  connectionAt({ pool }: Line, key: string, flow?: Flow): ServerConnection {
    const connection = connectionOf(pool, key, flow);
    if (connection === undefined) throw this.#notConnected();
    return connection;
  }

  /** The endpoints that a message is for, online or not. */
  #linesFor(destination: Destination): readonly Line[] {
    if (this.#router.send === undefined || this.#lines.length === 1) return this.#lines;
    return this.#routed(sendTarget(destination));
  }

  #routed(target: SendTarget): readonly Line[] {
    if (this.#router.send === undefined || this.#lines.length === 1) return this.#lines;
    return this.#router.send(target, this.#lines).map((endpoint) => this.#line(endpoint));
  }

  /** Secondary endpoints carry clients while no primary one can. */
  #failOver(): void {
    const needed = !this.#lines.some(({ type, online }) => type === 'primary' && online);
    for (const { type, pool } of this.#lines) {
      if (type !== 'secondary') continue;
      if (needed) void pool.carryClients(true);
      else if (pool.clients === 0) void pool.carryClients(false);
    }
  }

  #line(endpoint: HubEndpoint): Line {
    const line = this.#lines.find((one) => one === endpoint);
    if (line !== undefined) return line;
    throw badOptions('a router answers with endpoints that it was given');
  }

  #notConnected(): TrunklineError {
    return new TrunklineError(
      'not-connected',
      `hub '${this.#hub}' has no server connection; await start(), or send again later`,
    );
  }
}

/** The flow's own connection, or one that the flow or else the key always takes. */
function connectionOf(
  pool: ConnectionPool,
  key: string,
  flow?: Flow,
): ServerConnection | undefined {
  if (flow === undefined) return pool.find(key);
  const { trunk } = flow;
  return trunk.open && trunk.endpoint === pool.endpoint ? trunk : pool.find(flow.id);
}
