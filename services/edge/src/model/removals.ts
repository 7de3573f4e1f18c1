import type { Removal, Rule } from './rule.ts';

/** Edges that were frozen or cut off come back within that time, most of them. */
const REMEMBERED_MS = 10 * 60 * 1000;
/** The latest removals are remembered, so many and so many characters: they go to another edge in one page. */
const MOST = 10_000;
const MOST_CHARACTERS = 1_000_000;

interface Remembered {
  readonly userId: string;
  readonly group: string | undefined;
  readonly at: number;
}

/**
 * Removals of late, for edges that have missed them: such an edge tells its rules when it is back, and
 * those that are older than their removal are nobody's any more.
 */
export class Removals {
  /** In the order in which they became known here. */
  readonly #remembered = new Map<string, Remembered>();
  #characters = 0;

  get size(): number {
    return this.#remembered.size;
  }

  note(userId: string, group: string | undefined, at: number): void {
    const key = keyOf(userId, group);
    const known = this.#remembered.get(key);
    if (known !== undefined && known.at >= at) return;
    this.#forget(key);
    this.#remembered.set(key, { userId, group, at });
    this.#characters += key.length;
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MOST && this.#characters <= MOST_CHARACTERS) return;
      this.#forget(oldest);
    }
  }

  /** Whether the rule was set before a removal of its user. */
  isAfter({ userId, group, ageSeconds }: Rule, now: number): boolean {
    const setAt = now - ageSeconds * 1000;
    return [group, undefined].some((of) => {
      const removal = this.#remembered.get(keyOf(userId, of));
      return removal !== undefined && removal.at > setAt;
    });
  }

  list(now: number): Removal[] {
    return [...this.#remembered.values()]
      .filter(({ at }) => now - at < REMEMBERED_MS)
      .map(({ userId, group, at }) => ({ userId, group, ageSeconds: (now - at) / 1000 }));
  }

  /** To be called about once a second. */
  expire(now: number): void {
    for (const [key, { at }] of this.#remembered) {
      if (now - at < REMEMBERED_MS) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    if (this.#remembered.delete(key)) this.#characters -= key.length;
  }
}

function keyOf(userId: string, group: string | undefined): string {
  return JSON.stringify([userId, group]);
}
