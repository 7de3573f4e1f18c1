import { ConnectionType, MessageType } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import { errorMessage, TrunklineError } from '../errors.ts';
import type { Logger } from '../options.ts';
import { BackOff } from './back-off.ts';
import type { Service } from './dial.ts';
import { ServerConnection } from './server-connection.ts';
import type { Receiver } from './server-connection.ts';

/** A connection that lived no longer than this was of no use. */
const BRIEF_MS = 1000;
/** Extra connections that a rebalancing service may ask for (service protocol reference, 7.6). */
const MAX_ON_DEMAND = 20;
const FIN_INTERVAL_MS = 5_000;

export interface PoolOptions {
  readonly hub: string;
  readonly service: Service;
  readonly count: number;
  readonly maximumOutboundBytes: number;
  readonly receiver: Receiver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The server connections of one hub: kept up, each in its slot, as long as the pool runs. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #backOff: BackOff;
  readonly #slots: (ServerConnection | undefined)[];
  readonly #onDemand = new Set<ServerConnection>();
  readonly #ready = deferred();
  readonly #acknowledged = new WeakSet<ServerConnection>();
  readonly #finished = deferred();
  #stopping = false;
  #cancelFin = () => {};
  /** Whether the failure going on has been logged: once is enough. */
  #warned = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.clock);
    this.#slots = Array.from({ length: options.count }, () => undefined);
    // A pool that is never started has nobody who listens.
    this.#ready.promise.catch(() => {});
  }

  /** Resolves when the first connection is up; rejects on 401, and when stopped before that. */
  start(): Promise<void> {
    for (let slot = 0; slot < this.#slots.length; slot++) void this.#keep(slot);
    return this.#ready.promise;
  }

  get online(): boolean {
    return !this.#stopping && this.connections().some(({ open }) => open);
  }

  connections(): ServerConnection[] {
    return [...this.#slots.filter((connection) => connection !== undefined), ...this.#onDemand];
  }

  /** The connection for work that belongs to `key`: always the same one, as long as it is there. */
  pick(key: string): ServerConnection {
    const first = hash(key) % this.#slots.length;
    for (let step = 0; step < this.#slots.length; step++) {
      const connection = this.#slots[(first + step) % this.#slots.length];
      if (connection?.open === true) return connection;
    }
    throw new TrunklineError(
      'not-connected',
      `hub '${this.#options.hub}' has no server connection; await start(), or send again later`,
    );
  }

  /** Opens one more connection, at the service's request. It is not replaced when it ends. */
  openOnDemand(target: string): void {
    if (this.#stopping || this.#onDemand.size >= MAX_ON_DEMAND) return;
    const connection = this.#dial(ConnectionType.OnDemand, target);
    this.#onDemand.add(connection);
    connection.opened.catch(() => {});
    void connection.closed.then(() => this.#onDemand.delete(connection));
  }

  /** To be told when the service has heard of this connection's `fin`. */
  finAcked(connection: ServerConnection): void {
    this.#acknowledged.add(connection);
    this.#checkFinished();
  }

  /** Resolves when the service assigns no more clients here: it has heard every `fin`. */
  finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Reconnects no more, and asks the service until it answers to move the clients elsewhere. */
  drain(): void {
    this.#halt();
    this.#fin();
  }

  async close(): Promise<void> {
    this.#halt();
    this.#cancelFin();
    await Promise.all(this.connections().map((connection) => connection.close()));
  }

  #halt(): void {
    this.#stopping = true;
    this.#backOff.stop();
    this.#ready.reject(new TrunklineError('not-connected', 'stopped before it was connected'));
  }

  /** Repeated, for the service may lose sight of one (service protocol reference, section 7.5). */
  #fin(): void {
    const waiting = this.#unacknowledged();
    for (const connection of waiting) askToLeave(connection);
    this.#checkFinished();
    if (waiting.length === 0) return;
    this.#cancelFin = this.#options.clock.after(FIN_INTERVAL_MS, () => this.#fin());
  }

  #checkFinished(): void {
    if (this.#stopping && this.#unacknowledged().length === 0) this.#finished.resolve();
  }

  #unacknowledged(): ServerConnection[] {
    return this.connections().filter(
      (connection) => connection.open && !this.#acknowledged.has(connection),
    );
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
      await this.#slots[slot]?.closed;
      this.#slots[slot] = undefined;
      this.#checkFinished();
      connected = false;
      brief = clock.now() - since < BRIEF_MS ? brief + 1 : 0;
      // A service that accepts and then closes again would otherwise be dialled without end.
      await this.#backOff.wait(brief - 1);
    }
  }

  async #fill(slot: number): Promise<boolean> {
    try {
      const connection = this.#dial(ConnectionType.Default);
      this.#slots[slot] = connection;
      await connection.opened;
      if (this.#stopping) askToLeave(connection);
    } catch (error) {
      this.#slots[slot] = undefined;
      this.#failed(error);
      return false;
    }
    this.#ready.resolve();
    if (this.#warned) this.#options.logger.info(`hub '${this.#options.hub}' is connected again`);
    this.#warned = false;
    return true;
  }

  #failed(error: unknown): void {
    if (error instanceof TrunklineError && error.code === 'unauthorized') {
      this.#ready.reject(error);
    }
    if (this.#warned || this.#stopping) return;
    this.#warned = true;
    const { hub, logger } = this.#options;
    logger.warn(`hub '${hub}' lacks a server connection, trying again: ${errorMessage(error)}`);
  }

  #dial(connectionType: number, target?: string): ServerConnection {
    const { hub, service, receiver, clock, maximumOutboundBytes } = this.#options;
    return new ServerConnection({
      socket: service.dial(hub, target),
      connectionType,
      refusal: (status) => service.refusal(status),
      receiver,
      clock,
      maximumOutboundBytes,
    });
  }
}

/** Tells the service that this server leaves, and that its clients may be moved. */
function askToLeave(connection: ServerConnection): void {
  connection.post({ type: MessageType.Ping, entries: ['shutdown', 'fin:1'] });
}

/** FNV-1a over UTF-16 units: any even spread will do. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
