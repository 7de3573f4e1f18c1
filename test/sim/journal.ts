import type { BusListener } from '../../services/edge/src/ports/bus.ts';
import type { Checker } from './checkers/checker.ts';
import type { Clock } from './clock.ts';
import type { SimEdge } from './edge.ts';

/** What a checker has found to be wrong. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
  /** On the clock of the simulation, in milliseconds. */
  readonly at: number;
}

/** A client connection that an edge has given an id. */
export interface Conn {
  readonly id: string;
  readonly user: string;
  readonly edge: SimEdge;
  /** Its requests land at any edge, and it gives up at the first that fails. */
  readonly roams: boolean;
  /** It is at another edge than the one that has minted its id. */
  readonly isAway: boolean;
  /** When its handshake response came; undefined before. */
  openAt: number | undefined;
  endedAt: number | undefined;
}

/** A server connection. */
export interface Line {
  readonly name: string;
  readonly edge: SimEdge;
  readonly isOpen: boolean;
}

/** Who a send is for. */
export type Audience =
  | { readonly kind: 'all' }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'conn'; readonly name: string };

/** Something that an app server has said to clients; those of one line are numbered. */
export interface Send {
  readonly line: Line;
  readonly number: number;
  readonly to: Audience;
  readonly at: number;
}

/** What an app server wants to have acked. */
export interface Ask {
  readonly line: Line;
  readonly at: number;
  readonly what:
    | { readonly kind: 'join' | 'leave'; readonly conn: Conn; readonly group: string }
    | { readonly kind: 'joinUser' | 'leaveUser'; readonly user: string; readonly group: string }
    | { readonly kind: 'checkConn' | 'closeConn'; readonly conn: Conn }
    | { readonly kind: 'checkUser'; readonly user: string }
    | { readonly kind: 'checkGroup' | 'list'; readonly group: string };
  /** The edges that its own edge knew of then. */
  readonly others: readonly string[];
  /** How many edges were gone for it by then. */
  readonly edgesLost: number;
}

/** What a client wants to have answered by its hub. */
export interface Call {
  readonly conn: Conn;
  readonly id: string;
  readonly at: number;
}

/** Milliseconds after the end of a disturbance by which all is right again. */
const MENDED_MS = 5_000;

interface Disturbance {
  readonly edgeId: string;
  to: number;
}

/** Batches that an edge has not had, and does not know of: when they were lost, by `sender subject`. */
interface UnknownLoss {
  readonly disturbance: Disturbance;
  readonly batches: Map<string, number>;
}

/** What has happened, as far as anybody outside of the edges can know: it is told to the checkers as it happens. */
export class Journal {
  readonly violations: Violation[] = [];
  readonly conns = new Set<Conn>();
  readonly #clock: Clock;
  readonly #disturbances: Disturbance[] = [];
  /** When an edge was last told that something of another one is lost, by `other edge`. */
  readonly #gaps = new Map<string, number>();
  /** What is on its way between edges or has come, since a loss was last told of: `sender subject edge`. */
  readonly #carried = new Set<string>();
  readonly #unknownLosses = new Map<string, UnknownLoss>();
  #checkers: readonly Checker[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  watchedBy(checkers: readonly Checker[]): void {
    this.#checkers = checkers;
  }

  violation(checker: string, text: string): void {
    this.violations.push({ checker, text, at: this.now });
  }

  /** The bus of this edge does not carry everything, from now on; the answer says that it does again. */
  disturb(edgeId: string): () => void {
    const disturbance = this.#begin(edgeId);
    return () => (disturbance.to = Math.min(disturbance.to, this.now + MENDED_MS));
  }

  /** A batch of another edge is on its way to this one. */
  carriesBatch(edgeId: string, from: string, subject: string): void {
    this.#carried.add(`${from} ${subject} ${edgeId}`);
  }

  /** The edge has lost its connection to the bus: it knows that it has missed something. */
  connectionLost(edgeId: string): void {
    this.forgetLosses((to) => to === edgeId);
  }

  /**
   * A batch of another edge is lost on its way to this one, and nobody has been told. The first of a
   * subject that comes from an edge tells of none before: what is lost then, nobody can know.
   */
  lostBatch(edgeId: string, from: string, subject: string): void {
    if (!this.#carried.has(`${from} ${subject} ${edgeId}`)) {
      this.disturb(edgeId)();
      for (const checker of this.#checkers) checker.rulesLost?.();
      return;
    }
    const known = this.#unknownLosses.get(edgeId);
    const loss = known ?? { disturbance: this.#begin(edgeId), batches: new Map() };
    this.#unknownLosses.set(edgeId, loss);
    const batch = `${from} ${subject}`;
    if (!loss.batches.has(batch)) loss.batches.set(batch, this.now);
  }

  /** A batch has come that was sent then: if one before it was lost, the edge has to know by now. */
  receivedBatch(edgeId: string, from: string, subject: string, sentAt: number): void {
    const lostAt = this.#unknownLosses.get(edgeId)?.batches.get(`${from} ${subject}`);
    if (lostAt !== undefined && sentAt > lostAt) this.#lossShows(edgeId, from, subject, lostAt);
    this.carriesBatch(edgeId, from, subject);
  }

  #lossShows(edgeId: string, from: string, subject: string, lostAt: number): void {
    const toldAt = this.#gaps.get(`${from} ${edgeId}`) ?? -1;
    if (toldAt < lostAt) {
      this.violation(
        'losses',
        `${edgeId} does not see that a batch of ${from} on ${subject} is lost`,
      );
    }
    this.forgetLosses((to, sender, lost) => to === edgeId && sender === from && lost === subject);
  }

  /** The loss of some batches is known, or nothing comes any more by which it could be. */
  forgetLosses(isMeant: (edgeId: string, from: string, subject: string) => boolean): void {
    for (const carried of this.#carried) {
      const [from, subject, edgeId] = carried.split(' ') as [string, string, string];
      if (isMeant(edgeId, from, subject)) this.#carried.delete(carried);
    }
    for (const [edgeId, { batches }] of this.#unknownLosses) {
      for (const batch of batches.keys()) {
        const [from, subject] = batch.split(' ') as [string, string];
        if (isMeant(edgeId, from, subject)) batches.delete(batch);
      }
      if (batches.size === 0) this.#foundOut(edgeId);
    }
  }

  /** Edges that have lost something and do not know. */
  get unknownLosses(): string[] {
    return [...this.#unknownLosses.keys()];
  }

  /** `others`: those that go on. Nothing is lost to an edge that has ended. */
  edgeEnded(edge: SimEdge, others: readonly SimEdge[]): void {
    const { edgeId } = edge;
    this.forgetLosses((to, from) => to === edgeId || from === edgeId);
    if (this.wasCalm(this.now, edge, ...others)) return;
    for (const checker of this.#checkers) checker.rulesLost?.();
  }

  /** Whether the bus of these edges carried everything all the time since then. */
  wasCalm(since: number, ...edges: readonly SimEdge[]): boolean {
    const ids = new Set(edges.map(({ edgeId }) => edgeId));
    return !this.#disturbances.some(({ edgeId, to }) => ids.has(edgeId) && to >= since);
  }

  /** Hears what an edge hears of its bus. */
  listening({ edgeId }: SimEdge, listener: BusListener): BusListener {
    return {
      message: (subject, from, bytes) => listener.message(subject, from, bytes),
      together: (hear) => listener.together(hear),
      gap: (from, why) => {
        if (from !== undefined) this.#gaps.set(`${from} ${edgeId}`, this.now);
        if (why === 'restarted' || why === 'sender') {
          this.forgetLosses((to, sender) => to === edgeId && from === sender);
        }
        listener.gap(from, why);
      },
      gone: (other) => listener.gone(other),
      up: () => listener.up(),
      down: (why) => listener.down(why),
    };
  }

  /** An edge has taken a WebSocket with an id. */
  accepted(id: string, edge: SimEdge): void {
    for (const checker of this.#checkers) checker.accepted?.(id, edge);
  }

  /** An edge has refused one that a negotiate of that time had given an id, to nobody else. */
  refused(id: string, edge: SimEdge, at: number): void {
    for (const checker of this.#checkers) checker.refused?.(id, edge, at);
  }

  opened(conn: Conn): void {
    conn.openAt = this.now;
    this.conns.add(conn);
  }

  ended(conn: Conn): void {
    conn.endedAt ??= this.now;
    this.conns.delete(conn);
    for (const checker of this.#checkers) checker.ended?.(conn);
  }

  sentOn(from: SimEdge, to: SimEdge): void {
    for (const checker of this.#checkers) checker.sentOn?.(from, to);
  }

  sent(send: Send): void {
    for (const checker of this.#checkers) checker.sent?.(send);
  }

  heard(conn: Conn, line: string, number: number): void {
    for (const checker of this.#checkers) checker.heard?.(conn, line, number);
  }

  asked(ask: Ask): void {
    for (const checker of this.#checkers) checker.asked?.(ask);
  }

  acked(ask: Ask, status: number): void {
    for (const checker of this.#checkers) checker.acked?.(ask, status);
  }

  called(call: Call): void {
    for (const checker of this.#checkers) checker.called?.(call);
  }

  answered(call: Call): void {
    for (const checker of this.#checkers) checker.answered?.(call);
  }

  #foundOut(edgeId: string): void {
    const loss = this.#unknownLosses.get(edgeId);
    if (loss === undefined) return;
    loss.disturbance.to = this.now + MENDED_MS;
    this.#unknownLosses.delete(edgeId);
  }

  #begin(edgeId: string): Disturbance {
    const disturbance = { edgeId, to: Infinity };
    this.#disturbances.push(disturbance);
    return disturbance;
  }
}
