import type { Removal, Rule } from './rule.ts';

/** A removal of another edge, by this edge's clock. */
export interface ToldRemoval {
  readonly userId: string;
  readonly group: string | undefined;
  readonly at: number;
  /** Groups whose rules the other edge has all the same: they were set after the removal. */
  readonly kept: Set<string>;
}

/**
 * The removals of an edge whose rules are learned. It tells them before its rules, and what it tells of
 * rules then is newer: times alone would not show that, since pages take differently long to come.
 */
export class ToldRemovals {
  readonly #byUser = new Map<string, ToldRemoval[]>();

  /** Of a page: they may take several, all of which come before any rule. */
  add(removals: readonly Removal[], now: number): void {
    for (const { userId, group, ageSeconds } of removals) {
      const told = { userId, group, at: now - ageSeconds * 1000, kept: new Set<string>() };
      const before = this.#byUser.get(userId);
      if (before === undefined) this.#byUser.set(userId, [told]);
      else before.push(told);
    }
  }

  /** The edge has this rule. */
  note({ userId, group }: Pick<Rule, 'userId' | 'group'>): void {
    for (const told of this.#byUser.get(userId) ?? []) told.kept.add(group);
  }

  *[Symbol.iterator](): Generator<ToldRemoval, void> {
    for (const told of this.#byUser.values()) yield* told;
  }
}
