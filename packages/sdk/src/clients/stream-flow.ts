import type { Deferred } from '../deferred.ts';
import { deferred } from '../deferred.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

/** What streams write before they wait for the service: its word to pause is late by that much. */
export const WINDOW_BYTES = 128 * 1024;

/**
 * Whether streams to one client may go on: not while the server connection is half full, nor while
 * the service has a windowful to deal with, nor while it says that the client itself reads too
 * slowly (service protocol reference, 18.3). Everything else a hub says to the client still goes,
 * so a pause is never acknowledged.
 */
export class StreamFlow {
  readonly #trunk: ServerConnection;
  readonly #caughtUp: () => Promise<void>;
  #paused: Deferred<void> | undefined;
  #written = 0;
  #catchingUp: Promise<void> | undefined;

  /** `caughtUp` resolves when the service has dealt with what was written before the call. */
  constructor(trunk: ServerConnection, caughtUp: () => Promise<void>) {
    this.#trunk = trunk;
    this.#caughtUp = caughtUp;
  }

  pause(): void {
    this.#paused ??= deferred();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /** To be called for each item. */
  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** Pending while no stream should send more. */
  room(): Promise<void> | undefined {
    if (this.#written >= WINDOW_BYTES) this.#catchingUp ??= this.#catchUp();
    return this.#paused?.promise ?? this.#catchingUp ?? this.#trunk.roomForStreams();
  }

  async #catchUp(): Promise<void> {
    await this.#caughtUp();
    this.#written = 0;
    this.#catchingUp = undefined;
  }
}
