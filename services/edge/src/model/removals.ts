import { OldestKey } from '@trunkline/protocol';
import type { Removal, Rule } from './rule.ts';
import { Page } from './rule.ts';

/** Edges that were frozen or cut off come back within that time, most of them. */
const REMEMBERED_MS = 10 * 60 * 1000;
/** The latest removals are remembered, so many and so many characters. */
const MOST = 10_000;
const MOST_CHARACTERS = 1_000_000;

/** Removals are numbered from here on: pages of rules go on by smaller numbers. */
export const FIRST_REMOVAL = 2 ** 52;

interface Remembered {
  readonly userId: string;
  readonly group: string | undefined;
  readonly at: number;
  /** Grows in the order in which they became known here, so that a listing can go on behind one. */
  readonly number: number;
}

/**
 * Removals of late, for edges that have missed them: such an edge tells its rules when it is back, and
 * those that are older than their removal are nobody's any more.
 */
export class Removals {
  /** In the order in which they became known here. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #oldest = new OldestKey(this.#remembered);
  #characters = 0;
  #nextNumber = FIRST_REMOVAL;

  get size(): number {
    return this.#remembered.size;
  }

  note(userId: string, group: string | undefined, at: number): void {
    const key = keyOf(userId, group);
    const known = this.#remembered.get(key);
    if (known !== undefined && known.at >= at) return;
    this.#forget(key);
    this.#remembered.set(key, { userId, group, at, number: this.#nextNumber++ });
    this.#characters += key.length;
    while (this.#remembered.size > MOST || this.#characters > MOST_CHARACTERS) {
      this.#forget(this.#oldest.next()!);
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

  /** A page of them, the latest on the last one. `after`: what the page before had as its `next`, 0 for the first. */
  page(after: number, now: number): { removals: readonly Removal[]; next: number | undefined } {
    const page = new Page<Removal>();
    let last = after;
    for (const { userId, group, at, number } of this.#remembered.values()) {
      if (number <= after || now - at >= REMEMBERED_MS) continue;
      const removal = { userId, group, ageSeconds: (now - at) / 1000 };
      if (!page.take(removal)) return { removals: page.items, next: last };
      last = number;
    }
    return { removals: page.items, next: undefined };
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
