/** Ids that a negotiate has given out and no connect has claimed yet. */

interface Pending {
  readonly hub: string;
  readonly userId: string | undefined;
  readonly deadline: number;
}

/** How long a client may take to connect, as in ASP.NET (client protocols reference, section 2.0). */
export const CONNECT_WITHIN_MS = 15_000;
/** More than that at a time is no load that clients make. */
const MAX_PENDING = 100_000;

export class NegotiatedIds {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  readonly #release: (id: string) => void;

  /** `release` gives back an id that nobody came for. */
  constructor(release: (id: string) => void) {
    this.#release = release;
  }

  get full(): boolean {
    return this.#pending.size >= MAX_PENDING;
  }

  add(id: string, hub: string, userId: string | undefined, now: number): void {
    this.#pending.set(id, { hub, userId, deadline: now + CONNECT_WITHIN_MS });
  }

  /** True once for an id, and only for the hub and user it was given to. */
  claim(id: string, hub: string, userId: string | undefined, now: number): boolean {
    const pending = this.#pending.get(id);
    if (pending?.hub !== hub || pending.userId !== userId || pending.deadline < now) return false;
    return this.#pending.delete(id);
  }

  expire(now: number): void {
    for (const [id, { deadline }] of this.#pending) {
      if (deadline >= now) return;
      this.#pending.delete(id);
      this.#release(id);
    }
  }
}
