import type { Clock } from '../clock.ts';
import type { PooledHost } from '../host.ts';
import type { Served } from '../served.ts';

/** App servers see for themselves that a connection is silent, and end it: after 30 to 35 s. */
const NOTICED_MS = 40_000;
/** The app's own code may take 30 s more to say goodbye to a client. */
const FORGOTTEN_MS = NOTICED_MS + 35_000;
/**
 * The sockets of a process that dies end one after another, within milliseconds; one that lives has
 * replaced a lost connection some 20 ms later.
 */
export const SHORT_GAP_MS = 1_000;

interface Gap {
  connections: number;
  /** When the last of them went. */
  lostAt: number;
  until: number;
  readonly clients: WeakSet<Served>;
}

/**
 * Processes that lack server connections they had, and which clients went with those: a process
 * that has not noticed has them on its books still, and would take a client that comes again for
 * the former one. Both would break (service protocol reference, section 20.9).
 *
 * A process replaces a connection as soon as it has noticed the loss and let go of the clients.
 * Which one a new connection replaces is not said, so they are counted. Older .NET SDKs let go only
 * when the app has said goodbye, of which there is no sign but the time.
 */
export class Gaps {
  readonly #gaps = new Map<string, Gap>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection is lost, or about to go for good, with the clients that it has. */
  open({ serverId, reopens, clients }: PooledHost): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#gaps) if (until <= now) this.#gaps.delete(id);
    const gap = this.#gaps.get(serverId) ?? {
      connections: 0,
      lostAt: 0,
      until: 0,
      clients: new WeakSet(),
    };
    gap.connections++;
    gap.lostAt = now;
    gap.until = now + (reopens ? NOTICED_MS : FORGOTTEN_MS);
    for (const client of clients) gap.clients.add(client);
    this.#gaps.set(serverId, gap);
  }

  /** One has come. */
  close({ serverId, reopens }: PooledHost): void {
    const gap = this.#gaps.get(serverId);
    if (gap === undefined || !reopens) return;
    gap.connections--;
    if (gap.connections === 0) this.#gaps.delete(serverId);
  }

  /** Whether the process has just lost a connection, and may be about to lose the others. */
  isShort(serverId: string): boolean {
    const gap = this.#gaps.get(serverId);
    return gap !== undefined && gap.lostAt + SHORT_GAP_MS > this.#clock.now();
  }

  /** Whether the process may have a client on its books that it has lost. */
  remembers({ serverId }: PooledHost, client: Served): boolean {
    const gap = this.#gaps.get(serverId);
    return gap !== undefined && gap.until > this.#clock.now() && gap.clients.has(client);
  }
}
