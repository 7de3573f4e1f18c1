import type { BudgetLimits, BudgetRules } from './budget.ts';

/** When the total is passed, owners pay until no more than this much of it is held. */
const RELIEVED = 7 / 8;

/**
 * A pool of what many owners hold together, as one message that is kept once for all who wait for
 * it. A `Budget` has an amount for each owner, and to change those of all who share a thing, each
 * time that one comes, costs three times what it costs to hold it. So here the sum is a number, which
 * has what is shared once; owners keep count of their own, and nobody looks at those counts before
 * the total is passed. Hence it may be, by what one thing takes, until `settle` is called.
 */
export class SharedBudget<O> {
  readonly #limits: BudgetLimits;
  readonly #rules: BudgetRules<O>;
  #used = 0;

  constructor(limits: BudgetLimits, rules: BudgetRules<O>) {
    this.#limits = limits;
    this.#rules = rules;
  }

  /** What all owners hold. */
  get used(): number {
    return this.#used;
  }

  /** Whether one owner may hold `amount`, with all of what it shares; a no is counted as a refusal. */
  allows(amount: number): boolean {
    if (amount <= this.#limits.share) return true;
    this.#rules.refused('share');
    return false;
  }

  /** So much more is held, or less if negative; what is shared, once. */
  add(amount: number): void {
    this.#used += amount;
  }

  /**
   * Call it when more is held: if that is more than the total, those with the largest parts are made
   * to give back what they hold. `partOf` answers what an owner is to answer for: of what it shares,
   * its part.
   */
  settle(owners: Iterable<O>, partOf: (owner: O) => number): void {
    const { total } = this.#limits;
    if (this.#used <= total) return;
    const parts = Array.from(owners, (owner) => [owner, partOf(owner)] as const);
    const largestFirst = parts.filter(([, part]) => part > 0).toSorted(([, a], [, b]) => b - a);
    for (const [owner] of largestFirst) {
      if (this.#used <= total * RELIEVED) return;
      this.#rules.refused('evicted');
      this.#rules.evict(owner);
    }
  }
}
