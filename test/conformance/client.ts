import type { HubConnection, ISubscription } from '@microsoft/signalr';
import { deadline, Mailbox } from '@trunkline/testing';

import type { ClientKind } from './variants.ts';

/** Generous, for machines that are busy with other tests; no test waits for it in vain. */
export const DEADLINE_MS = 30_000;

/** What versions 1 and 3 say of every event stream that ends; later ones say nothing. */
export const STREAM_ENDED = 'Error occurred';

/**
 * What clients that do not negotiate say of a WebSocket that does not open: they cannot see why, and
 * version 1 has no word for it.
 */
export function notOpened({ version }: ClientKind): RegExp {
  return version === 1 ? /^null$/ : /WebSocket|transport/;
}

export interface ConnectionEvent {
  readonly type: 'reconnecting' | 'reconnected' | 'closed';
  /** Why, where the client gives a reason. */
  readonly error?: string | undefined;
}

/** A stream from the hub. */
export interface Stream<T> {
  readonly items: Mailbox<T>;
  /** Rejects with the error that the stream ends with. */
  readonly ended: Promise<void>;
  cancel(): void;
}

/** An official client, with everything that happened to it. */
export class Client implements AsyncDisposable {
  readonly connection: HubConnection;
  /** The arguments of every call of `message`. */
  readonly messages = new Mailbox<readonly unknown[]>();
  readonly events = new Mailbox<ConnectionEvent>();

  constructor(connection: HubConnection) {
    this.connection = connection;
    connection.on('message', (...args: unknown[]) => this.messages.add(args));
    if (comesBack(connection)) {
      connection.onreconnecting((error) => this.#happened('reconnecting', error));
      connection.onreconnected(() => this.#happened('reconnected', undefined));
    }
    connection.onclose((error) => this.#happened('closed', error));
  }

  /** The result of a hub method. */
  invoke<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    const result = this.connection.invoke<T>(method, ...args);
    return deadline(result, DEADLINE_MS, `${method} was not answered`);
  }

  /** The error text that a hub method is answered with. */
  async failure(method: string, ...args: unknown[]): Promise<string> {
    return failureOf(this.invoke(method, ...args));
  }

  /** All items of a stream, once it has ended. */
  async stream<T>(method: string, ...args: unknown[]): Promise<readonly T[]> {
    const { items, ended } = this.follow<T>(method, ...args);
    await ended;
    return items.all;
  }

  /** A stream as it comes. */
  follow<T>(method: string, ...args: unknown[]): Stream<T> {
    const items = new Mailbox<T>();
    const stream = this.connection.stream<T>(method, ...args);
    let subscription: ISubscription<T> | undefined;
    const end = new Promise<void>((resolve, reject) => {
      const next = (item: T): void => items.add(item);
      subscription = stream.subscribe({ next, error: reject, complete: resolve });
    });
    const ended = deadline(end, DEADLINE_MS, `${method} did not end`);
    // Some tests are not about the end.
    ended.catch(() => {});
    return { items, ended, cancel: () => subscription?.dispose() };
  }

  /** The next calls of `message` up to `count` in all, each as its only argument. */
  async numbers(count: number): Promise<unknown[]> {
    await this.messages.first(
      () => this.messages.all.length >= count,
      `message ${count}`,
      DEADLINE_MS,
    );
    return this.messages.all.map(([value]) => value);
  }

  /** Waits for an event, come or to come. */
  event(type: ConnectionEvent['type']): Promise<ConnectionEvent> {
    return this.events.first((event) => event.type === type, `the event ${type}`, DEADLINE_MS);
  }

  /** `Connected`, `Disconnected` or what lies between; version 1 numbers its two states. */
  get state(): string {
    const state: string | number = this.connection.state;
    return typeof state === 'number' ? ['Disconnected', 'Connected'][state]! : state;
  }

  /** The connection's id as the hub knows it. */
  id(): Promise<string> {
    return this.invoke('connectionId');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
  }

  #happened(type: ConnectionEvent['type'], error: Error | undefined): void {
    const reason = error?.message;
    this.events.add({ type, error: reason === STREAM_ENDED ? undefined : reason });
  }
}

/** Whether it reconnects where it is built to; version 1 never does. */
function comesBack(connection: HubConnection): boolean {
  return 'onreconnected' in connection;
}

/** The message of the error that `work` ends with; version 1 refuses with the text alone. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('it should have failed');
}
