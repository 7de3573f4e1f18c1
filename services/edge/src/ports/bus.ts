/**
 * What joins edges. An edge joins once, under its id, and hears by its listener what others publish
 * to the subjects that it has subscribed to, and what they send to it alone.
 *
 * What every adapter promises (`bus/bus-contract.test-support.ts` holds all of them to it):
 *
 * - At most once: nothing comes twice, and what an edge says does not come back to it.
 * - From one edge, order is kept across all subjects and `send`, while no gap is reported. Only what
 *   it sends to different edges has no order, since nobody hears both.
 * - A loss that the adapter can know of is reported as a gap, before anything comes that was said
 *   after what is lost.
 * - No call waits, fails because the bus is down, or keeps a reference to what it is given when it returns.
 * - Memory is bounded. What there is no room for is dropped, counted, and a gap for those whom it may
 *   have been meant for.
 *
 * A subject is any text, a name of its own in each cluster. Those that begin with `edge.` are taken by
 * `send`.
 */
export interface Bus {
  /**
   * Says it to every other edge that has subscribed to the subject. `rest` follows `bytes` in the same
   * message: who has one in two pieces does not have to put it together.
   */
  publish(subject: string, bytes: Uint8Array, rest?: Uint8Array): void;
  /** Says it to one other edge, whatever that one has subscribed to. */
  send(edgeId: string, bytes: Uint8Array, rest?: Uint8Array): void;
  /**
   * Whether a message of so many bytes is too long for this bus, which it then counts as dropped. Said all
   * the same, it would be a loss, and a gap for all others.
   */
  refuses(bytes: number): boolean;
  /**
   * Bytes of what was said that the engine has not taken yet. 0 where waiting for it would gain nothing: it
   * is away, or takes nothing.
   */
  readonly waiting: number;
  /** Takes effect soon, in time for nothing in particular: see `whenSubscribed`. Once for a subject. */
  subscribe(subject: string): void;
  /** Nothing of the subject is heard from the call on. */
  unsubscribe(subject: string): void;
  /**
   * Runs `then` when what others publish from now on comes for every subject subscribed to before: at
   * once where that is so already, never while the bus is down, and not at all when it is closed first.
   */
  whenSubscribed(then: () => void): void;
  /** Ends the membership: nothing is heard from the call on, and no timer or socket is left when it resolves. */
  close(): Promise<void>;
}

/** What an edge hears from the bus. None of it is called from within a call of `Bus`. */
export interface BusListener {
  /**
   * `from`: the id of the edge that said it. `bytes` are lent, see `together`, and not to be changed. The
   * subject of what was sent to this edge alone is `edgeSubject` of its id.
   */
  message(subject: string, from: string, bytes: Uint8Array): void;
  /**
   * To run `hear`, which hands on all that has come together, by calls of `message` and `gap`. The bytes
   * of all those messages stay as they are until it returns.
   */
  together(hear: () => void): void;
  /** Something that was said may be lost: by this edge, or where it is undefined by anybody. */
  gap(from: string | undefined, why: GapCause): void;
  /** The engine says that there is no such edge, of something that was sent to it. Not every engine can. */
  gone(edgeId: string): void;
  /** This edge is part of the bus: for the first time, or again after `down`. */
  up(): void;
  /** It is not any more. What it says meanwhile waits, within a bound. `why` is for people. */
  down(why: string): void;
}

/**
 * Why something may be lost. `cut`: this edge was cut off from the engine. `sender`: the other edge was,
 * or it had to drop something. `missing`: a number is left out in what came. `restarted`: the other edge
 * is a new process. `unreadable`: what came could not be read, or there was no room to put it together.
 */
export const GAP_CAUSES = ['cut', 'sender', 'missing', 'restarted', 'unreadable'] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/** The subject by which an edge hears what is sent to it alone. */
export function edgeSubject(edgeId: string): string {
  return `edge.${edgeId}`;
}

/** Joins an edge to the others. `listener` hears nothing before the call returns. */
export type JoinBus = (listener: BusListener) => Bus;
