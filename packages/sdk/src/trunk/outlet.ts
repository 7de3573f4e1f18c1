import type { WebSocket } from 'ws';

import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import { FrameBatch } from './frame-batch.ts';

/** The sending half of a server connection: batched by turns, and bounded. */
export class Outlet {
  readonly batch: FrameBatch;
  readonly #socket: WebSocket;
  readonly #limit: number;
  #drained: Deferred<void> | undefined;

  constructor(socket: WebSocket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
    this.batch = new FrameBatch((bytes) => this.#write(bytes));
  }

  /** Bytes that the service has not taken yet. */
  get waiting(): number {
    return this.#socket.bufferedAmount + this.batch.size;
  }

  get full(): boolean {
    return this.waiting >= this.#limit;
  }

  /** Pending while over half of what may wait does, unless nothing will be sent any more. */
  halfEmpty(): Promise<void> | undefined {
    if (this.waiting * 2 <= this.#limit) return undefined;
    this.#drained ??= deferred();
    return this.#drained.promise;
  }

  /** Lets go of whoever waits for room. */
  close(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #write(bytes: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(bytes, { binary: true }, () => this.#sent());
    // What clients call is answered here; with no room for answers there is no use in reading calls.
    if (this.full) this.#socket.pause();
  }

  #sent(): void {
    if (this.waiting * 2 > this.#limit) return;
    if (this.#socket.isPaused) this.#socket.resume();
    this.close();
  }
}
