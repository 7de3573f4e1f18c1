import { randomInt } from 'node:crypto';

import { MessageType } from '@trunkline/protocol';

import { type Clock, pass } from '../clock.ts';
import { Deferred } from '../deferred.ts';
import { DotnetException } from '../exception.ts';
import { BackOff } from './back-off.ts';
import type { Attempt, ServerConnection } from './server-connection.ts';

const STATUS_MS = 10_000;
const FIN_MS = 5_000;
const BUCKETS = 256;

export interface ContainerOptions {
  readonly clock: Clock;
  /** `InitialHubServerConnectionCount`. */
  readonly count: number;
  /** Sends of one key keep to one connection. */
  readonly partitions: boolean;
  /** Dials. What is lost is to be told to `lost`. */
  readonly connect: (target: string | undefined) => ServerConnection;
}

/** The server connections of one hub (service protocol reference, sections 7.1 and 7.5 to 7.7). */
export class Container {
  readonly #options: ContainerOptions;
  readonly #dialled = new Set<ServerConnection>();
  readonly #connected = new Set<ServerConnection>();
  readonly #onDemand = new Set<ServerConnection>();
  readonly #buckets = new Map<number, ServerConnection>();
  readonly #finacks = new Map<ServerConnection, () => void>();
  readonly #backOff = new BackOff();
  readonly #ready = new Deferred<void>();
  readonly #stopped = new Deferred<void>();
  #cancelStatus = (): void => {};
  #running = true;
  #waiting = 0;
  #probing = false;

  constructor(options: ContainerOptions) {
    this.#options = options;
  }

  get connections(): ServerConnection[] {
    return [...this.#connected];
  }

  /** Dials all at once; resolves when the first is connected. */
  start(): Promise<void> {
    for (let slot = 0; slot < this.#options.count; slot++) void this.#fill();
    this.#cancelStatus = this.#options.clock.every(STATUS_MS, () => this.#askStatus());
    return this.#ready.promise;
  }

  /** A connection to send on: always the same for a `key` where keys count, otherwise any. */
  pick(key?: string): ServerConnection {
    const writable = this.connections.filter((connection) => connection.isWritable);
    const any = writable[randomInt(Math.max(1, writable.length))];
    if (any === undefined) {
      throw new DotnetException('AzureSignalRNotConnectedException', 'Service is not connected.');
    }
    if (key === undefined || !this.#options.partitions) return any;
    const bucket = bucketOf(key);
    const known = this.#buckets.get(bucket);
    if (known?.isWritable === true) return known;
    this.#buckets.set(bucket, any);
    return any;
  }

  /** The service asks for one more connection (section 7.6). */
  addOnDemand(target: string): void {
    if (!this.#running) return;
    const connection = this.#dial(target);
    this.#onDemand.add(connection);
  }

  lost(connection: ServerConnection): void {
    this.#connected.delete(connection);
    this.#dialled.delete(connection);
    if (!this.#onDemand.delete(connection) && this.#running) this.#retry();
  }

  /**
   * Announces the end on every connection, again and again until each has been acknowledged or has
   * ended, or `timeUp`. From now on nothing is dialled again.
   */
  async fin(value: string, timeUp: Promise<void>): Promise<void> {
    this.#halt();
    await Promise.all(this.connections.map((connection) => this.#fin(connection, value, timeUp)));
  }

  finacked(connection: ServerConnection): void {
    this.#finacks.get(connection)?.();
  }

  close(): void {
    this.#halt();
    for (const connection of this.#dialled) connection.close();
    this.#cancelStatus();
  }

  drop(): void {
    this.#halt();
    for (const connection of this.#dialled) connection.drop();
    this.#cancelStatus();
  }

  #halt(): void {
    this.#running = false;
    this.#stopped.resolve();
  }

  async #fill(): Promise<void> {
    for (;;) {
      const attempt = await this.#connect();
      if (attempt === 'refused') this.#retry();
      // A service that is only silent is dialled again at once (section 7.2).
      if (attempt !== 'late' || !this.#running) return;
    }
  }

  #retry(): void {
    this.#waiting++;
    if (!this.#probing) void this.#probe();
  }

  /** One tries for all; when it succeeds, the others follow at once. */
  async #probe(): Promise<void> {
    const { clock } = this.#options;
    this.#probing = true;
    let tried = clock.now();
    while (this.#waiting > 0 && this.#running) {
      const wait = this.#backOff.next() - (clock.now() - tried);
      if (wait > 0) await pass(clock, wait, this.#stopped.promise);
      if (!this.#running) return;
      tried = clock.now();
      if ((await this.#connect()) !== 'connected') continue;
      this.#backOff.succeeded();
      for (let others = this.#waiting - 1; others > 0; others--) void this.#fill();
      this.#waiting = 0;
    }
    this.#probing = false;
  }

  #connect(): Promise<Attempt> {
    return this.#dial(undefined).attempt;
  }

  #dial(target: string | undefined): ServerConnection {
    const connection = this.#options.connect(target);
    this.#dialled.add(connection);
    void connection.attempt.then((attempt) => {
      if (attempt !== 'connected') return void this.#dialled.delete(connection);
      this.#connected.add(connection);
      this.#ready.resolve();
    });
    return connection;
  }

  #askStatus(): void {
    if (this.connections.some((connection) => connection.isWritable)) {
      this.pick().write({ type: MessageType.Ping, entries: ['status', '1'] });
    }
  }

  async #fin(connection: ServerConnection, value: string, timeUp: Promise<void>): Promise<void> {
    const say = (): void => {
      if (!connection.isWritable) return;
      connection.write({ type: MessageType.Ping, entries: ['shutdown', value] });
    };
    const acked = new Promise<void>((resolve) => this.#finacks.set(connection, resolve));
    say();
    const cancel = this.#options.clock.every(FIN_MS, say);
    await Promise.race([acked, connection.closed, timeUp]);
    cancel();
  }
}

/** Any spread will do: the package's own is local to the process (section 18.10). */
function bucketOf(key: string): number {
  let hash = 0;
  for (const character of key) hash = (hash * 31 + character.codePointAt(0)!) | 0;
  return (hash >>> 0) % BUCKETS;
}
