import type { Clock } from '../clock.ts';
import { BRIEF_MS, waitWithJitter } from './back-off.ts';
import type { ServerConnection } from './server-connection.ts';

/** Connections beside those of the slots, however many edges there are. */
export const MAX_SPREAD = 8;
/** An edge without a connection may be the one that a slot's is on its way to. */
const PATIENCE_MS = 1000;

/** As much of a server connection as counts here. */
export type EdgeConnection = Pick<
  ServerConnection,
  'open' | 'carriesClients' | 'edges' | 'opened' | 'closed' | 'close'
>;

/** The way to an edge that no connection has reached. */
export interface EdgeWay {
  /** Its own URL. */
  readonly url?: string;
  /** Or to any that a load balancer chooses, but for this one. */
  readonly elsewhere?: string;
}

export interface EdgeSpreadOptions {
  readonly clock: Clock;
  /** All of the pool. */
  readonly connections: () => readonly EdgeConnection[];
  readonly dial: (way: EdgeWay) => EdgeConnection;
  /** Gives numbers from 0 up to 1. */
  readonly random?: () => number;
  /** A URL of an edge leads nowhere; told once until it does, or the edge is gone. */
  readonly unreached: (url: string, error: unknown) => void;
}

/** An edge that no connection has reached, or that one was dialled for. */
interface Gap {
  /** One is dialled, or there at its own URL. */
  isFilled: boolean;
  failures: number;
  /** It is not dialled before. */
  dueAt: number;
}

/** Stands for whichever edge a load balancer chooses; no edge has an empty id. */
const ANY_OTHER = '';

/**
 * Has a pool's connections spread over the edges of a cluster, so that an app server is where its
 * clients are, and does without any one edge. Edges with URLs of their own get a connection each;
 * through a load balancer the pool has at least two edges under it. What is there stays.
 */
export class EdgeSpread {
  readonly #options: EdgeSpreadOptions;
  readonly #own = new Set<EdgeConnection>();
  /** By edge id. */
  readonly #gaps = new Map<string, Gap>();
  /** As last told by any edge, to go by while all connections are lost. */
  #urls: ReadonlyMap<string, string> = new Map();

  constructor(options: EdgeSpreadOptions) {
    this.#options = options;
  }

  /** To be called about every second. */
  tick(): void {
    const ways = this.#ways();
    for (const [edge, { isFilled }] of this.#gaps) {
      if (!isFilled && !ways.has(edge)) this.#gaps.delete(edge);
    }
    for (const [edge, way] of ways) this.#fill(edge, way);
  }

  /** Closes the connections that it has had dialled. */
  close(): void {
    for (const connection of this.#own) void connection.close();
  }

  /** By edge id: to edges that want a connection. */
  #ways(): Map<string, EdgeWay> {
    const open = this.#options.connections().filter((one) => one.open && one.carriesClients);
    const reports = open.flatMap(({ edges }) => edges ?? []);
    // Edges that do not hear each other tell of different ones.
    if (reports.length > 0) this.#urls = new Map(reports.flatMap(({ urls }) => [...urls]));
    const reached = new Set(reports.map(({ edge }) => edge));
    const missing = [...this.#urls].filter(([edge]) => !reached.has(edge));
    const ways = new Map<string, EdgeWay>(missing.map(([edge, url]) => [edge, { url }]));

    const [only] = reached;
    const isTogether = reached.size === 1 && reports.length === open.length;
    const isAlone = reports.every(({ others }) => others === 0);
    // URLs are the better way, but not every app server can reach those that are meant for clients.
    const isTrying = missing.some(([edge]) => !this.#hasFailed(edge));
    if (isTogether && !isAlone && !isTrying) ways.set(ANY_OTHER, { elsewhere: only! });
    return ways;
  }

  #hasFailed(edge: string): boolean {
    return (this.#gaps.get(edge)?.failures ?? 0) > 0;
  }

  #fill(edge: string, way: EdgeWay): void {
    const now = this.#options.clock.now();
    const gap = this.#gaps.get(edge) ?? { isFilled: false, failures: 0, dueAt: now + PATIENCE_MS };
    this.#gaps.set(edge, gap);
    if (gap.isFilled || now < gap.dueAt || this.#own.size >= MAX_SPREAD) return;
    gap.isFilled = true;
    void this.#follow(gap, way);
  }

  /** Dials, and sees what becomes of it. */
  async #follow(gap: Gap, way: EdgeWay): Promise<void> {
    const { clock, dial, unreached, random = Math.random } = this.#options;
    let since = Infinity;
    try {
      const connection = dial(way);
      this.#own.add(connection);
      void connection.closed.then(() => this.#own.delete(connection));
      await connection.opened;
      since = clock.now();
      // Where a load balancer has led it shows soon, and if that is a new edge, the gap is forgotten.
      if (way.url !== undefined) await connection.closed;
    } catch (error) {
      if (way.url !== undefined && gap.failures === 0) unreached(way.url, error);
    }
    const isBrief = clock.now() - since < BRIEF_MS;
    gap.isFilled = false;
    gap.failures = isBrief ? gap.failures + 1 : 0;
    gap.dueAt = clock.now() + (isBrief ? waitWithJitter(gap.failures, random) : PATIENCE_MS);
  }
}
