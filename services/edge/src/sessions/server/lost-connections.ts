import type { Time } from '../../ports/time.ts';
import type { Host, PooledHost } from '../host.ts';
import type { Served } from '../served.ts';

/** App servers see for themselves that a connection is silent, and end it: after 30 to 35 s. */
const NOTICED_MS = 40_000;
/** The app's own code may take 30 s more to say goodbye to a client. */
const FORGOTTEN_MS = NOTICED_MS + 35_000;
/**
 * The sockets of a process that dies end one after another, within milliseconds; one that lives has
 * replaced a lost connection some 20 ms later.
 */
export const MAY_BE_DYING_MS = 1_000;

/** Lost at this edge, rather than at another one. */
const HERE = '';
/** Lost with the line to another edge: no new connection shows that the process has noticed. */
export const NOBODY_KNOWS = Symbol('nobody knows');

/**
 * The edge that a connection was at; or, where that edge cannot tell, from when on (the edge's clock, ms) a
 * new connection shows that the process has noticed.
 */
export type Where = string | number | typeof NOBODY_KNOWS;

/** What one process lacks. */
interface Loss {
  /** At this edge. */
  connections: number;
  /** When the last of them went. */
  lastAt: number;
  /** When the process must have noticed, and let go of the clients. */
  until: number;
  /** A connection has come since. */
  hasReplaced: boolean;
  /** By the id of the client. */
  readonly clients: Map<string, Where>;
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
export class LostConnections {
  /** By server id. */
  readonly #losses = new Map<string, Loss>();
  readonly #time: Time;

  constructor(time: Time) {
    this.#time = time;
  }

  /** A connection is lost, or about to go for good, with the clients that it has. */
  lost(server: PooledHost): void {
    const loss = this.#lossOf(server);
    loss.connections++;
    for (const { id } of server.clients) loss.clients.set(id, HERE);
  }

  /** A client has lost its server connection at another edge, or is about to. */
  lostAt(where: Where, server: Pick<Host, 'serverId' | 'software'>, { id }: Served): void {
    this.#lossOf(server).clients.set(id, where);
  }

  /** The line to an edge has a hole: that edge is asked no more whether a process may have a client again. */
  lineLost(edgeId: string): void {
    for (const { clients } of this.#losses.values()) {
      for (const [id, where] of clients) if (where === edgeId) clients.set(id, NOBODY_KNOWS);
    }
  }

  /** A connection has come: a process that lacks one has replaced it by this. */
  replaced({ serverId, software }: PooledHost): void {
    const loss = this.#losses.get(serverId);
    if (loss === undefined || !software.reopensClients) return;
    if (--loss.connections > 0) return;
    loss.connections = 0;
    loss.hasReplaced = true;
    for (const [id, where] of loss.clients) if (typeof where === 'string') loss.clients.delete(id);
    if (loss.clients.size === 0) this.#losses.delete(serverId);
  }

  /** Whether the process has just lost a connection, and may be about to lose the others. */
  mayBeDying(serverId: string): boolean {
    const loss = this.#losses.get(serverId);
    return loss !== undefined && loss.lastAt + MAY_BE_DYING_MS > this.#time.now();
  }

  /** Whether the process may have a client on its books that it has lost, whatever edge that was at. */
  remembers({ serverId }: PooledHost, id: string): boolean {
    return this.#whereOf(serverId, id) !== undefined;
  }

  /** The same, for a connection at another edge, which knows for itself what was lost there. */
  remembersAt(edgeId: string, serverId: string, id: string): boolean {
    const where = this.#whereOf(serverId, id);
    return where !== undefined && where !== edgeId;
  }

  #whereOf(serverId: string, id: string): Where | undefined {
    const now = this.#time.now();
    const loss = this.#losses.get(serverId);
    const where = loss !== undefined && loss.until > now ? loss.clients.get(id) : undefined;
    const isOver = typeof where === 'number' && where <= now && loss!.hasReplaced;
    return isOver ? undefined : where;
  }

  /** Notes that the process has lost something now. */
  #lossOf({ serverId, software }: Pick<Host, 'serverId' | 'software'>): Loss {
    const now = this.#time.now();
    for (const [id, { until }] of this.#losses) if (until <= now) this.#losses.delete(id);
    const until = now + (software.reopensClients ? NOTICED_MS : FORGOTTEN_MS);
    const loss = this.#losses.get(serverId) ?? {
      connections: 0,
      lastAt: now,
      until,
      hasReplaced: false,
      clients: new Map<string, Where>(),
    };
    loss.hasReplaced = false;
    loss.lastAt = now;
    loss.until = until;
    this.#losses.set(serverId, loss);
    return loss;
  }
}
