import { EARLY_BYTES } from './opening-phase.ts';

/** Ids that a negotiate has given out and no connect has claimed yet. */

/** To whom an id is given out, and how it is brought back. */
export interface Grant {
  /** Of the negotiate: 0, by the id alone, or 1, by a signed connection token. */
  readonly version: number;
  readonly hub: string;
  readonly userId: string | undefined;
}

interface Pending extends Grant {
  readonly deadline: number;
  /** Posted before the connection is made, which a client may do (section 2.4). */
  early: Buffer | undefined;
}

/** How long a client may take to connect, as in ASP.NET (client protocols reference, section 2.0). */
export const CONNECT_WITHIN_MS = 15_000;
/** More than that at a time is no load that clients make. */
const MAX_PENDING = 100_000;
/** What may be posted early for all ids together; for one it is what its connection may bring. */
const ALL_EARLY_BYTES = 64 * EARLY_BYTES;

export class NegotiatedIds {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  readonly #release: (id: string) => void;
  #earlyBytes = 0;

  /** `release` gives back an id that nobody came for. */
  constructor(release: (id: string) => void) {
    this.#release = release;
  }

  get full(): boolean {
    return this.#pending.size >= MAX_PENDING;
  }

  add(id: string, grant: Grant, now: number): void {
    const deadline = now + CONNECT_WITHIN_MS;
    this.#pending.set(id, { ...grant, deadline, early: undefined });
  }

  /** Whether the id waits for a connect by this hub, user and kind of token. */
  has(id: string, grant: Grant, now: number): boolean {
    return this.#find(id, grant, now) !== undefined;
  }

  /**
   * Once for an id, and only for the hub, user and kind of token it was given out with: what has
   * been posted early, which may be nothing. Undefined for any other.
   */
  claim(id: string, grant: Grant, now: number): { early: Buffer | undefined } | undefined {
    const pending = this.#find(id, grant, now);
    if (pending === undefined) return undefined;
    this.#forget(id, pending);
    return { early: pending.early };
  }

  /** Keeps bytes for the connection to come. False when there are too many. */
  keepEarly(id: string, bytes: Buffer): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    const { early } = pending;
    const length = (early?.length ?? 0) + bytes.length;
    if (length > EARLY_BYTES || this.#earlyBytes + bytes.length > ALL_EARLY_BYTES) return false;
    this.#earlyBytes += bytes.length;
    pending.early = early === undefined ? bytes : Buffer.concat([early, bytes]);
    return true;
  }

  expire(now: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.deadline >= now) return;
      this.#forget(id, pending);
      this.#release(id);
    }
  }

  #find(id: string, { version, hub, userId }: Grant, now: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.deadline < now) return undefined;
    if (pending.version !== version || pending.hub !== hub) return undefined;
    return pending.userId === userId ? pending : undefined;
  }

  #forget(id: string, { early }: Pending): void {
    this.#pending.delete(id);
    this.#earlyBytes -= early?.length ?? 0;
  }
}
