import { MessageType } from '@trunkline/protocol';
import type { ClientSession } from '../client/client-session.ts';
import type { ServerSession } from './server-session.ts';

/** With `fin:0` the server ends its clients itself, as soon as it has its `finack` (section 7.5). */
const ENDS_CLIENTS = 'fin:0';
/** It wants its clients taken away, even those that are not moved but closed. */
const MIGRATE_CLIENTS = 'fin:1';
/** How long calls may run on, before their client moves without them. */
const SETTLE_MS = 20_000;
/** The server gives up waiting after 30 s, and asks again every 5 s until then. */
const FINACK_WITHIN_MS = 25_000;

/** How a server connection whose process stops is let go. */
export class Departure {
  readonly #server: ServerSession;
  readonly #since: number;
  #mode = '';
  #finackDue = false;
  /** Clients that are to leave and have not done so. */
  readonly #leaving = new Set<ClientSession>();

  constructor(server: ServerSession, now: number) {
    this.#server = server;
    this.#since = now;
  }

  /**
   * Sends the clients away. A server that would end them is not answered until they have left.
   * `mode`: the value of its `shutdown` ping.
   */
  begin(mode: string): void {
    this.#mode = mode;
    this.#finackDue = true;
    const leaving = this.#server.clients.filter((client) => this.#leaves(client));
    for (const client of leaving) this.#leaving.add(client);
    for (const client of leaving) client.moveAway(this.#since + SETTLE_MS);
    if (mode !== ENDS_CLIENTS || this.#leaving.size === 0) this.#acknowledge();
  }

  /** A client has its handshake response only now. */
  welcomed(client: ClientSession): void {
    if (this.#leaving.has(client)) client.moveAway(this.#since + SETTLE_MS);
  }

  clientLeft(client: ClientSession): void {
    if (this.#leaving.delete(client) && this.#leaving.size === 0) this.#acknowledge();
  }

  check(now: number): void {
    if (now >= this.#since + FINACK_WITHIN_MS) this.#acknowledge();
  }

  /** The state of a client that requires its server is with that very process as long as it is. */
  #leaves({ affinity, hub }: ClientSession): boolean {
    if (affinity.sticky === 'Required') return false;
    return hub.migrates || this.#mode === MIGRATE_CLIENTS;
  }

  #acknowledge(): void {
    if (!this.#finackDue) return;
    this.#finackDue = false;
    this.#server.write({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
  }
}
