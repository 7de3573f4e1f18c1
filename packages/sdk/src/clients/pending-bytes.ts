import { InvalidDataException } from '../errors.ts';
import type { ClientConnection } from './client-connection.ts';

/** What a kept record, or a value that was read from one, takes beside its bytes. */
export const RECORD_OVERHEAD = 64;

/**
 * What a client's running calls may have been called with before that counts, about as much as the
 * connection itself takes: few clients ever have more, and counting each call would cost all of them.
 */
export const FREE_FOR_CALLS = 4096;

/** Why a client is closed that has the most waiting, when all together have too much. */
export const TOO_MUCH_PENDING =
  'More than this server keeps for all clients is waiting for hub methods, and of this client the most.';

/**
 * Counts, in bytes of memory, what one client has sent that its hub's methods are not done with: against
 * the bound for all clients of the server, and what waits also against the one for a client
 * (`maximumTotalPendingBytes`, `maximumPendingBytes`). What has been read from a message weighs what its
 * values take (`weightOf`). All of it is given back when the client goes.
 */
export class PendingBytes {
  readonly #client: ClientConnection;
  #waiting = 0;
  #running = 0;
  #closed = false;

  constructor(client: ClientConnection) {
    this.#client = client;
  }

  /** What waits: records behind a call, and items that no method has read. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Counts what has to wait. Throws InvalidDataException when it may not. */
  take(bytes: number): void {
    if (this.#closed) return;
    const { maximumPendingBytes: limit } = this.#client.route.settings;
    if (this.#waiting + bytes > limit) {
      throw new InvalidDataException(`More than ${limit}B are waiting for a hub method.`);
    }
    if (!this.hold(bytes)) throw new InvalidDataException(TOO_MUCH_PENDING);
    this.#waiting += bytes;
  }

  give(bytes: number): void {
    if (this.#closed) return;
    this.#waiting -= bytes;
    this.letGo(bytes);
  }

  /**
   * Counts what is in hand, which may be as large as the hub lets one message be. False when all
   * clients have too much, and this one the most.
   */
  hold(bytes: number): boolean {
    return this.#closed || this.#client.host.pending.take(this.#client, bytes);
  }

  letGo(bytes: number): void {
    if (!this.#closed) this.#client.host.pending.give(this.#client, bytes);
  }

  /** Counts what a call that goes on was called with. False as `hold`. */
  run(bytes: number): boolean {
    const before = this.#countedOfCalls();
    this.#running += bytes;
    const more = this.#countedOfCalls() - before;
    return more === 0 || this.hold(more);
  }

  /** Nothing of the call runs any more. */
  ran(bytes: number): void {
    const before = this.#countedOfCalls();
    this.#running -= bytes;
    const less = before - this.#countedOfCalls();
    if (less > 0) this.letGo(less);
  }

  /** The client has gone: nothing of it counts any more. */
  close(): void {
    this.#closed = true;
    this.#client.host.pending.giveAll(this.#client);
  }

  #countedOfCalls(): number {
    return Math.max(0, this.#running - FREE_FOR_CALLS);
  }
}
