import type { Deferred } from '../deferred.ts';
import { deferred } from '../deferred.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

/**
 * Whether streams to one client may go on: not while the server connection is half full, nor while
 * the service says that the client itself reads too slowly (service protocol reference, 18.3).
 * Everything else a hub says to the client still goes, so a pause is never acknowledged.
 */
export class StreamFlow {
  readonly #trunk: ServerConnection;
  #paused: Deferred<void> | undefined;

  constructor(trunk: ServerConnection) {
    this.#trunk = trunk;
  }

  pause(): void {
    this.#paused ??= deferred();
  }

  /** To be called at the client's end as well. */
  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  /** Pending while no stream should send more. */
  room(): Promise<void> | undefined {
    return this.#paused?.promise ?? this.#trunk.roomForStreams();
  }
}
