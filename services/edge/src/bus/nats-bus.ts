import type { Socket } from 'node:net';
import type {
  Msg,
  NatsConnection,
  NodeConnectionOptions,
  Subscription,
} from '@nats-io/transport-node';
import { connect, errors } from '@nats-io/transport-node';
import { MAX_BATCH_BYTES } from './batch-format.ts';
import type { NatsAddress } from './bus-address.ts';
import { beforeClose, ignore, retryDelay } from './connections.ts';
import type { EngineSubjects } from './engine-subjects.ts';
import { fromWord, toWord } from './engine-subjects.ts';
import type { Engine, EngineEvents } from './engine.ts';
import { natsOptions } from './nats-options.ts';

/** What may be underway before the server is asked whether it has it. */
const UNCONFIRMED_BYTES = 1024 * 1024;

/**
 * NATS as the engine. Once it was connected, the client library connects again by itself; the first
 * connection is tried for here, because the library gives nothing to end that by.
 */
export class NatsEngine implements Engine {
  readonly #events: EngineEvents;
  readonly #options: NodeConnectionOptions;
  /** Where a server answers in place of an edge that is not there, by that edge's id as a word. */
  readonly #absent: string;
  /** By name; undefined where the server has to be told. */
  readonly #subscriptions = new Map<string, Subscription | undefined>();
  readonly #connecting: { now: Promise<void> };
  #connection: NatsConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isConnected = false;
  #isClosed = false;
  /** Counts connections, and those that the server has said no on. */
  #session = 0;
  #written = 0;
  #taken = 0;
  #isAsking = false;

  /** `edgeId`: what the server's monitoring calls the connection by. */
  constructor(address: NatsAddress, edgeId: string, names: EngineSubjects, events: EngineEvents) {
    this.#events = events;
    this.#options = natsOptions(address, edgeId);
    this.#absent = `${names.nameOf(`bus.absent.${toWord(edgeId)}`)}.`;
    this.#subscriptions.set(`${this.#absent}*`, undefined);
    this.#connecting = { now: this.#connect() };
  }

  underway(): number {
    return this.#written - this.#taken;
  }

  write(name: string, batch: Buffer, to: string | undefined): void {
    const options = to === undefined ? undefined : { reply: this.#absent + toWord(to) };
    this.#connection?.publish(name, batch, options);
    this.#written += batch.length;
    if (this.underway() >= UNCONFIRMED_BYTES) this.#askWhatIsTaken();
  }

  subscribe(names: readonly string[]): void {
    for (const name of names) if (!this.#subscriptions.has(name)) this.#tell(name);
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      this.#subscriptions.get(name)?.unsubscribe();
      this.#subscriptions.delete(name);
    }
  }

  sync(then: () => void): void {
    const session = this.#session;
    this.#connection?.flush().then(() => {
      if (session === this.#session) then();
    }, ignore);
  }

  /** The library pings. */
  check(): void {}

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const connection = this.#connection;
    if (connection === undefined) await beforeClose(this.#connecting.now);
    else if (this.#isConnected) await beforeClose(connection.flush());
    await connection?.close();
    this.#cut();
  }

  async #connect(): Promise<void> {
    try {
      const connection = await connect(this.#options);
      if (this.#isClosed) return await connection.close();
      this.#connection = connection;
      void this.#watch(connection);
      this.#established();
    } catch (error) {
      if (this.#isClosed) return;
      this.#events.failed(reasonOf(error));
      this.#retry = setTimeout(() => {
        this.#connecting.now = this.#connect();
      }, retryDelay());
    }
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'error') this.#refused(status.error);
      // It ends a connection only when what waits in its socket has gone out, which a frozen server prevents.
      else if (status.type === 'staleConnection') this.#cut();
      else if (status.type === 'disconnect') this.#lost();
      else if (status.type === 'reconnect') this.#established();
    }
  }

  #established(): void {
    if (this.#isClosed) return;
    const most = this.#connection?.info?.max_payload ?? 0;
    if (most < MAX_BATCH_BYTES) {
      this.#events.failed(`the server's max_payload is ${most}, and edges need ${MAX_BATCH_BYTES}`);
      return this.#cut();
    }
    this.#isConnected = true;
    this.#session++;
    this.#taken = this.#written;
    for (const [name, subscription] of this.#subscriptions) {
      if (subscription === undefined) this.#tell(name);
    }
    this.#events.connected();
  }

  #lost(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#events.lost('the connection to the server was lost');
  }

  /** The server says no, to the login or to a subject: nobody could hear this edge, or be heard. */
  #refused(error: Error): void {
    this.#events.failed(reasonOf(error));
    if (error instanceof errors.PermissionViolationError) this.#cut();
  }

  /** Subscribes to it, as soon as there is a connection. */
  #tell(name: string): void {
    const callback = name.startsWith(this.#absent) ? this.#hearAbsence : this.#hear;
    this.#subscriptions.set(name, this.#connection?.subscribe(name, { callback }));
  }

  readonly #hear = (error: Error | null, { subject, data }: Msg): void => {
    if (error === null) return this.#events.received(subject, bufferOf(data));
    // It may not listen to that; `#refused` hears why. The library would not subscribe to it again.
    this.#session++;
    for (const [name, subscription] of this.#subscriptions) {
      if (subscription?.isClosed() === true) this.#subscriptions.set(name, undefined);
    }
  };

  readonly #hearAbsence = (error: Error | null, { subject }: Msg): void => {
    if (error === null) this.#events.unheard(fromWord(subject.slice(this.#absent.length)));
  };

  #askWhatIsTaken(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const written = this.#written;
    const answered = (taken: number): void => {
      this.#isAsking = false;
      this.#taken = Math.max(this.#taken, taken);
      this.#events.taken();
    };
    this.#connection?.flush().then(
      () => {
        answered(written);
        // Who says much may wait for the answer before anything more is written.
        if (this.underway() >= UNCONFIRMED_BYTES) this.#askWhatIsTaken();
      },
      () => answered(0),
    );
  }

  /** Resets the connection. The library has no call for it that works when the server does not read. */
  #cut(): void {
    const { protocol } = (this.#connection ?? {}) as {
      protocol?: { transport?: { socket?: Socket } };
    };
    protocol?.transport?.socket?.destroy();
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
}
