import { OldestKey } from './oldest-key.ts';

/**
 * A pool that many owners draw on: so much in all, and so much for the share of one. It keeps one
 * owner from using up what everybody needs. Pure: nothing here knows what is counted, bytes or
 * places, or who the owners are.
 */

/** How a pool can say no: to who asks over its share, to who asks when nothing is left, or to who held most. */
export const REFUSAL_KINDS = ['share', 'total', 'evicted'] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

export interface BudgetLimits {
  /** What all owners hold together, at most. */
  readonly total: number;
  /** What one owner holds, at most. */
  readonly share: number;
}

/** What a budget does beside counting. */
export interface BudgetRules<O> {
  /**
   * Makes an owner give back what it holds, or part of it, because others need it. Called while
   * somebody else asks, so it must not throw, and it must not take from the same budget.
   */
  readonly evict: (owner: O) => void;
  /** Told of each refusal. */
  readonly refused: (kind: RefusalKind) => void;
}

/**
 * Counts what owners hold of one pool. Who asks over its share is refused. When the total is used
 * up, the owner with the largest part pays for it, and who asks is refused only if that is the one.
 * An owner that holds nothing costs nothing.
 *
 * Owners are kept in classes by the power of two of what they hold, so that one of the largest is
 * found without looking at all: "largest" is right to a factor of two.
 */
export class Budget<O> {
  readonly #limits: BudgetLimits;
  readonly #rules: BudgetRules<O>;
  readonly #held = new Map<O, number>();
  readonly #classes: OwnerClass<O>[] = [];
  #used = 0;

  constructor(limits: BudgetLimits, rules: BudgetRules<O>) {
    this.#limits = limits;
    this.#rules = rules;
  }

  /** What all owners hold. */
  get used(): number {
    return this.#used;
  }

  /** How many owners hold something. */
  get owners(): number {
    return this.#held.size;
  }

  heldBy(owner: O): number {
    return this.#held.get(owner) ?? 0;
  }

  /** Takes `amount` more for the owner. False, and nothing taken, when it may not have it. */
  take(owner: O, amount: number): boolean {
    const wanted = this.heldBy(owner) + amount;
    if (wanted > this.#limits.share) return this.#refuse('share');
    while (this.#used + amount > this.#limits.total) {
      const largest = this.#largest();
      if (largest === undefined || classOf(this.heldBy(largest)) <= classOf(wanted)) {
        return this.#refuse('total');
      }
      this.#refuse('evicted');
      const before = this.heldBy(largest);
      this.#rules.evict(largest);
      // Should it hold on to everything, that does not keep others waiting.
      if (this.heldBy(largest) >= before) this.giveAll(largest);
    }
    this.#set(owner, wanted);
    return true;
  }

  /** Gives back `amount`, or what is left of it when the owner has been made to give it back before. */
  give(owner: O, amount: number): void {
    this.#set(owner, Math.max(0, this.heldBy(owner) - amount));
  }

  /** The owner holds nothing any more. */
  giveAll(owner: O): void {
    this.#set(owner, 0);
  }

  #refuse(kind: RefusalKind): false {
    this.#rules.refused(kind);
    return false;
  }

  #set(owner: O, amount: number): void {
    const before = this.heldBy(owner);
    this.#used += amount - before;
    if (amount === 0) this.#held.delete(owner);
    else this.#held.set(owner, amount);
    const from = classOf(before);
    const to = classOf(amount);
    if (from === to) return;
    this.#classes[from]?.owners.delete(owner);
    if (amount > 0) (this.#classes[to] ??= new OwnerClass()).owners.add(owner);
  }

  #largest(): O | undefined {
    for (let index = this.#classes.length - 1; index > 0; index--) {
      const owner = this.#classes[index]?.any.next();
      if (owner !== undefined) return owner;
    }
    return undefined;
  }
}

/** Owners that hold about as much: whichever of them is to pay, they take turns. */
class OwnerClass<O> {
  readonly owners = new Set<O>();
  readonly any = new OldestKey(this.owners);
}

/** 0 for nothing, 1 for 1, 2 for 2 and 3, 3 for 4 to 7, and so on. */
function classOf(amount: number): number {
  return amount < 1 ? 0 : 1 + Math.floor(Math.log2(amount));
}
