import { MessageType } from '@trunkline/protocol';
import type { ServerSession } from './server-session.ts';

/** With `fin:0` the server ends its clients itself, as soon as it has its `finack` (section 7.5). */
const ENDS_CLIENTS = 'fin:0';
/** It gives up waiting after 30 s, and asks again every 5 s until then. */
const FINACK_WITHIN_MS = 25_000;

/** How a server connection whose process stops is let go. */
export class Departure {
  readonly #deadline: number;
  #waits = false;
  #finackDue = false;
  /** Clients that are about to move to another server. */
  #moving = 0;

  constructor(now: number) {
    this.#deadline = now + FINACK_WITHIN_MS;
  }

  /**
   * Sends the clients away. A server that would end them is not answered until those that move have
   * done so. `mode`: the value of its `shutdown` ping.
   */
  begin(mode: string, server: ServerSession): void {
    this.#waits = mode === ENDS_CLIENTS;
    this.#finackDue = true;
    for (const client of server.clients.slice()) client.moveAway();
    this.#moving = server.clients.filter((client) => client.isSettling).length;
    if (!this.#waits || this.#moving === 0) this.#acknowledge(server);
  }

  /** A client has left that was about to move. */
  clientLeft(server: ServerSession): void {
    this.#moving--;
    if (this.#moving === 0) this.#acknowledge(server);
  }

  check(server: ServerSession, now: number): void {
    if (now >= this.#deadline) this.#acknowledge(server);
  }

  #acknowledge(server: ServerSession): void {
    if (!this.#finackDue) return;
    this.#finackDue = false;
    server.write({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
  }
}
