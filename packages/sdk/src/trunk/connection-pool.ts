import { ConnectionType, MessageType } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { errorMessage } from '../errors.ts';
import type { Logger, Migration } from '../options.ts';
import { BackOff, BRIEF_MS } from './back-off.ts';
import { askToLeave, Departure } from './departure.ts';
import type { EdgeReport } from './edge-report.ts';
import { EdgeSpread } from './edge-spread.ts';
import type { EdgeWay } from './edge-spread.ts';
import { PoolConnections } from './pool-connections.ts';
import { Reachability } from './reachability.ts';
import { ServerConnection } from './server-connection.ts';
import type { Receiver, ServerConnectionOptions } from './server-connection.ts';

/** Extra connections that a rebalancing service may ask for (service protocol reference, 7.6). */
export const MAX_ON_DEMAND = 20;

/** Which edges there are; what else an edge of an older version, or another service, does not know. */
const ASK_FOR_EDGES = ['edges', ''];

/** What one connection is dialled with. */
type How = Pick<ServerConnectionOptions, 'connectionType' | 'url' | 'elsewhere'> &
  Partial<Pick<ServerConnectionOptions, 'target'>>;

export interface PoolOptions {
  readonly hub: string;
  /** See `Dialled`; asked for each connection, as hubs are mapped one by one. */
  readonly offer: () => string;
  readonly endpoint: Endpoint;
  readonly count: number;
  /** Whether it is to have connections at several edges. */
  readonly spreads: boolean;
  readonly maximumOutboundBytes: number;
  readonly migration: Migration;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The server connections of one hub to one endpoint: kept up, each in its slot, as long as the pool
 * runs. Those to a secondary endpoint carry no clients until they are told to (service protocol
 * reference, section 7.1).
 */
export class ConnectionPool {
  readonly endpoint: Endpoint;
  readonly reachability: Reachability;
  /** Connections that were open and have ended; kept by the hub. */
  closes = 0;
  readonly #options: PoolOptions;
  readonly #backOff: BackOff;
  readonly #connections: PoolConnections;
  /** How many of the connections without a slot the service has asked for. */
  #onDemand = 0;
  readonly #spread: EdgeSpread;
  readonly #departure: Departure;
  #type: number;
  #stopping = false;

  constructor(options: PoolOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#backOff = new BackOff(options.clock);
    this.#connections = new PoolConnections(options.count);
    this.#type = options.endpoint.type === 'primary' ? ConnectionType.Default : ConnectionType.Weak;
    this.#departure = new Departure(options.clock, () =>
      this.connections().filter(({ carriesClients }) => carriesClients),
    );
    const name = `hub '${options.hub}' at endpoint '${options.endpoint.name}'`;
    this.#spread = new EdgeSpread({
      clock: options.clock,
      connections: () => this.connections(),
      dial: (way) => this.#dialToEdge(way),
      unreached: (url, error) =>
        options.logger.info(`${name} does not reach an edge at ${url}: ${errorMessage(error)}`),
    });
    this.reachability = new Reachability(name, options.logger);
  }

  start(): void {
    for (let slot = 0; slot < this.#connections.slots.length; slot++) void this.#keep(slot);
  }

  get online(): boolean {
    return !this.#stopping && this.connections().some(({ open }) => open);
  }

  get clients(): number {
    return this.connections().reduce((sum, { clients }) => sum + clients, 0);
  }

  connections(): ServerConnection[] {
    return this.#connections.all();
  }

  /** The connection for work that belongs to `key`, as `PoolConnections` has it. */
  find(key: string): ServerConnection | undefined {
    return this.#connections.find(key);
  }

  /** The edge at the connection's other end has said which edges there are. */
  reported(connection: ServerConnection, report: EdgeReport): void {
    connection.edges = report;
    this.#connections.compareReports();
  }

  /** A connection is up. Its edge is asked which others there are, and says so again when that changes. */
  opened(connection: ServerConnection): void {
    if (!this.#options.spreads || !connection.carriesClients) return;
    connection.post({ type: MessageType.Ping, entries: ASK_FOR_EDGES });
  }

  /** To be called about every second. */
  tick(): void {
    if (this.#stopping) return;
    // What an edge has said does not count any more once its connections are gone.
    this.#connections.compareReports();
    if (this.#type !== ConnectionType.Weak) this.#spread.tick();
  }

  /** Has the connections carry clients from now on, or not: each is replaced by one of that kind. */
  async carryClients(carry: boolean): Promise<void> {
    const type = carry ? ConnectionType.Default : ConnectionType.Weak;
    if (this.#type === type || this.#stopping) return;
    this.#type = type;
    if (!carry) this.#spread.close();
    // One after the other, the new one first, so that what is sent meanwhile finds its way.
    for (const [slot, old] of this.#connections.slots.entries()) {
      if (this.#stopping || this.#type !== type) return;
      if (old?.open === true) await this.#replace(slot, old, type);
    }
  }

  /** Opens one more connection, at the service's request. It is not replaced when it ends. */
  openOnDemand(target: string): void {
    const refused = this.#stopping || this.#type === ConnectionType.Weak;
    if (refused || this.#onDemand >= MAX_ON_DEMAND) return;
    this.#onDemand++;
    const connection = this.#dialExtra({ connectionType: ConnectionType.OnDemand, target });
    connection.opened.catch(() => {});
    void connection.closed.then(() => this.#onDemand--);
  }

  /** To be told when the service has heard of this connection's `fin`. */
  finAcked(connection: ServerConnection): void {
    this.#departure.acknowledged(connection);
  }

  /** Resolves when the service assigns no more clients here. */
  finished(): Promise<void> {
    return this.#departure.finished;
  }

  /** Reconnects no more, and asks the service until it answers to move the clients elsewhere. */
  drain(): void {
    this.#halt();
    this.#departure.begin();
  }

  async close(): Promise<void> {
    this.#halt();
    this.#departure.end();
    await Promise.all(this.connections().map((connection) => connection.close()));
  }

  #halt(): void {
    this.#stopping = true;
    this.#backOff.stop();
    this.reachability.stopped();
  }

  /** Keeps one slot filled until the pool stops. */
  async #keep(slot: number): Promise<void> {
    const { clock } = this.#options;
    const attempt = () => this.#fill(slot);
    let connected = await attempt();
    let brief = 0;
    while (!this.#stopping) {
      if (!connected) connected = await this.#backOff.retry(attempt);
      const since = clock.now();
      const connection = this.#connections.slots[slot];
      await connection?.closed;
      this.#departure.check();
      // Another one may have taken its place.
      if (this.#connections.slots[slot] !== connection) continue;
      this.#connections.slots[slot] = undefined;
      connected = false;
      brief = clock.now() - since < BRIEF_MS ? brief + 1 : 0;
      // A service that accepts and then closes again would otherwise be dialled without end.
      await this.#backOff.wait(brief - 1);
    }
  }

  async #fill(slot: number): Promise<boolean> {
    const type = this.#type;
    try {
      const connection = this.#dial({ connectionType: type });
      this.#connections.slots[slot] = connection;
      await connection.opened;
      if (this.#stopping) askToLeave(connection);
      if (this.#type !== type) void connection.close();
    } catch (error) {
      this.#connections.slots[slot] = undefined;
      this.reachability.failed(error);
      return false;
    }
    this.reachability.connected();
    return true;
  }

  /** Where the new one fails, the slot is filled as after any loss. */
  async #replace(slot: number, old: ServerConnection, type: number): Promise<void> {
    const fresh = this.#dialExtra({ connectionType: type });
    const opened = await fresh.opened.then(() => true).catch(() => false);
    if (opened && this.#connections.slots[slot] === old && this.#type === type && !this.#stopping) {
      this.#connections.extra.delete(fresh);
      this.#connections.slots[slot] = fresh;
    } else {
      void fresh.close();
    }
    if (!this.#stopping) void old.close();
  }

  #dialToEdge(way: EdgeWay): ServerConnection {
    const connection = this.#dialExtra({ connectionType: this.#type, ...way });
    const leave = () => {
      if (this.#stopping) askToLeave(connection);
    };
    connection.opened.then(leave, () => {});
    return connection;
  }

  #dialExtra(how: How): ServerConnection {
    const connection = this.#dial(how);
    this.#connections.extra.add(connection);
    void connection.closed.then(() => {
      this.#connections.extra.delete(connection);
      this.#departure.check();
    });
    return connection;
  }

  #dial(how: How): ServerConnection {
    const { hub, offer, receiver, clock, maximumOutboundBytes, migration } = this.#options;
    return new ServerConnection({
      hub,
      offer: offer(),
      endpoint: this.endpoint,
      target: undefined,
      ...how,
      receiver,
      clock,
      maximumOutboundBytes,
      migration,
    });
  }
}
