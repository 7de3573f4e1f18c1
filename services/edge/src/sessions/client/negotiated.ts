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

  add(id: string, grant: Grant, now: number): void {
    this.#pending.set(id, { ...grant, deadline: now + CONNECT_WITHIN_MS });
  }

  /** True once for an id, and only for the hub, user and kind of token it was given out with. */
  claim(id: string, { version, hub, userId }: Grant, now: number): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.deadline < now) return false;
    if (pending.version !== version || pending.hub !== hub) return false;
    if (pending.userId !== userId) return false;
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
