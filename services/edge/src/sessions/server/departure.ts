import { MessageType } from '@trunkline/protocol';
import { mayMove } from '../migration-policy.ts';
import type { PooledHost } from '../host.ts';
import type { Served } from '../served.ts';
import type { ServerContext } from './server-context.ts';

/** With `fin:0` the server ends its clients itself, as soon as it has its `finack` (section 7.5). */
const ENDS_CLIENTS = 'fin:0';
/** It ends when its clients have gone by themselves, or at its own timeout. */
const WAITS_FOR_CLIENTS = 'fin:2';
/** How long calls may run on, before their client moves without them. */
const SETTLE_MS = 20_000;
/** The server gives up waiting after 30 s, and asks again every 5 s until then. */
const FINACK_WITHIN_MS = 25_000;

/** How a server connection whose process stops is let go. */
export class Departure {
  readonly #server: PooledHost;
  readonly #context: ServerContext;
  readonly #since: number;
  #mode = '';
  #finackDue = false;
  /** Clients that are to leave and have not done so. */
  readonly #leaving = new Set<Served>();

  constructor(server: PooledHost, context: ServerContext) {
    this.#server = server;
    this.#context = context;
    this.#since = context.time.now();
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
    for (const client of leaving) this.#sendAway(client);
    if (mode !== ENDS_CLIENTS || this.#leaving.size === 0) this.#acknowledge();
  }

  /** The handshake response of a client is out only now: it could not be sent away before. */
  welcomed(client: Served): void {
    if (this.#leaving.has(client)) this.#sendAway(client);
  }

  clientLeft(client: Served): void {
    if (this.#leaving.delete(client) && this.#leaving.size === 0) this.#acknowledge();
  }

  check(now: number): void {
    if (now >= this.#since + FINACK_WITHIN_MS) this.#acknowledge();
  }

  /** At `fin:2` clients that may not be moved stay: the server waits until they close. */
  #leaves(client: Served): boolean {
    return mayMove(client, this.#server) || this.#mode !== WAITS_FOR_CLIENTS;
  }

  /** Calls may end first; not those of a client that `fin:0` would end, with its calls. */
  #sendAway(client: Served): void {
    const cut = this.#mode === ENDS_CLIENTS && client.ready && !mayMove(client, this.#server);
    if (cut) this.#context.pacedCloses.add(client);
    else client.moveAway(this.#since + SETTLE_MS);
  }

  #acknowledge(): void {
    if (!this.#finackDue) return;
    this.#finackDue = false;
    this.#server.write({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
  }
}
