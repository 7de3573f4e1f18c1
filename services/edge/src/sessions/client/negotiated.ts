import type { Budget } from '@trunkline/protocol';
import { discard } from '@trunkline/protocol';
import type { Pools } from '../../pools.ts';
import { EARLY_BYTES } from './arrival-state.ts';

/** Whom an id is given out to, and what a connect must bring to claim it. */
export interface Grant {
  /** Version of the negotiate. 0: the id alone is brought back; 1: a signed connection token. */
  readonly version: number;
  readonly hub: string;
  readonly userId: string | undefined;
}

interface Pending extends Grant {
  /** Whose share the id counts against: see `Visitor`. */
  readonly owner: string;
  readonly deadline: number;
  /** What the client has posted before it connects (client protocols reference, section 2.4). */
  early: Buffer | undefined;
}

/** How long a client may take to connect, as in ASP.NET (client protocols reference, section 2.0). */
export const CONNECT_WITHIN_MS = 15_000;

/** Ids that a negotiate has given out and no connect has claimed yet, shared fairly. */
export class NegotiatedIds {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  readonly #release: (id: string) => void;
  readonly #ids: Budget<string>;
  readonly #earlyBytes: Budget<string>;

  /** `release` gives back an id that nobody came for, or whose owner has too many. */
  constructor(release: (id: string) => void, pools: Pools) {
    this.#release = release;
    this.#ids = pools.open('negotiates', (owner) => this.#takeBack(owner, () => true));
    this.#earlyBytes = pools.open('early_posts', (owner) =>
      this.#takeBack(owner, ({ early }) => early !== undefined),
    );
  }

  /** A place for one more id of the owner; false when it may not have one. */
  reserve(owner: string): boolean {
    return this.#ids.take(owner, 1);
  }

  /** Gives back a place that has been reserved and not used. */
  unreserve(owner: string): void {
    this.#ids.give(owner, 1);
  }

  /** Fills a reserved place. */
  add(id: string, owner: string, grant: Grant, now: number): void {
    const deadline = now + CONNECT_WITHIN_MS;
    this.#pending.set(id, { ...grant, owner, deadline, early: undefined });
  }

  /** Whether the id waits for a connect by this hub, user and kind of token. */
  has(id: string, grant: Grant, now: number): boolean {
    return this.#find(id, grant, now) !== undefined;
  }

  /**
   * Takes an id, once, for the hub, user and version of negotiate that it was given out to. Answers
   * what has been posted early, which may be nothing; undefined where the id is not there to be had.
   */
  claim(id: string, grant: Grant, now: number): { early: Buffer | undefined } | undefined {
    const pending = this.#find(id, grant, now);
    if (pending === undefined) return undefined;
    this.#forget(id, pending);
    return { early: pending.early };
  }

  /** Somebody has connected with the id elsewhere. */
  drop(id: string): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#drop(id, pending);
  }

  /** Keeps bytes for the connection to come. False when there are too many. */
  keepEarly(id: string, bytes: Buffer): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    const { early, owner } = pending;
    const length = (early?.length ?? 0) + bytes.length;
    if (length > EARLY_BYTES || !this.#earlyBytes.take(owner, bytes.length)) return false;
    pending.early = early === undefined ? bytes : Buffer.concat([early, bytes]);
    return true;
  }

  expire(now: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.deadline >= now) return;
      this.#drop(id, pending);
    }
  }

  #find(id: string, { version, hub, userId }: Grant, now: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.deadline < now) return undefined;
    if (pending.version !== version || pending.hub !== hub) return undefined;
    return pending.userId === userId ? pending : undefined;
  }

  #forget(id: string, { early, owner }: Pending): void {
    this.#pending.delete(id);
    this.#ids.give(owner, 1);
    this.#earlyBytes.give(owner, early?.length ?? 0);
  }

  /** The pool is used up and the owner has most of it: its ids, or some, are good no longer. */
  #takeBack(owner: string, which: (pending: Pending) => boolean): void {
    for (const [id, pending] of this.#pending) {
      if (pending.owner === owner && which(pending)) this.#drop(id, pending);
    }
  }

  #drop(id: string, pending: Pending): void {
    this.#forget(id, pending);
    this.#release(id);
    if (pending.early !== undefined) discard(pending.early);
  }
}
