import { MessageType } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import type { ServerConnection } from './server-connection.ts';

const FIN_INTERVAL_MS = 5_000;

/**
 * How a stopping server leaves an endpoint: it asks on every connection that its clients be moved to
 * other servers or closed, until the service has answered (service protocol reference, section 7.5).
 */
export class Departure {
  readonly #clock: Clock;
  /** Those that carry clients; the others have nothing to ask for. */
  readonly #connections: () => readonly ServerConnection[];
  readonly #acknowledged = new WeakSet<ServerConnection>();
  readonly #finished = deferred();
  #begun = false;
  #cancelFin = () => {};

  constructor(clock: Clock, connections: () => readonly ServerConnection[]) {
    this.#clock = clock;
    this.#connections = connections;
  }

  /** Resolves when the service assigns no more clients here: it has answered on every connection. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  begin(): void {
    this.#begun = true;
    this.#ask();
  }

  /** The service has heard of this connection's `fin`. */
  acknowledged(connection: ServerConnection): void {
    this.#acknowledged.add(connection);
    this.check();
  }

  /** To be called when a connection has gone, and nothing is to be awaited of it. */
  check(): void {
    if (this.#begun && this.#waiting().length === 0) this.#finished.resolve();
  }

  end(): void {
    this.#cancelFin();
  }

  /** Repeated, for the service may lose sight of one. */
  #ask(): void {
    const waiting = this.#waiting();
    for (const connection of waiting) askToLeave(connection);
    this.check();
    if (waiting.length === 0) return;
    this.#cancelFin = this.#clock.after(FIN_INTERVAL_MS, () => this.#ask());
  }

  #waiting(): ServerConnection[] {
    return this.#connections().filter(
      (connection) => connection.open && !this.#acknowledged.has(connection),
    );
  }
}

/** Tells the service that this server leaves, and that its clients are to be taken away. */
export function askToLeave(connection: ServerConnection): void {
  connection.post({ type: MessageType.Ping, entries: ['shutdown', 'fin:1'] });
}
