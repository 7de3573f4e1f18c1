import { beforeEach, expect, test } from 'vitest';
import type { RefusalKind } from './budget.ts';
import { SharedBudget } from './shared-budget.ts';

interface Owner {
  readonly name: string;
  part: number;
}

let refusals: RefusalKind[];
let evicted: string[];
let budget: SharedBudget<Owner>;

beforeEach(() => {
  refusals = [];
  evicted = [];
  budget = new SharedBudget<Owner>(
    { total: 800, share: 60 },
    {
      evict(owner) {
        evicted.push(owner.name);
        budget.add(-owner.part);
      },
      refused: (kind) => void refusals.push(kind),
    },
  );
});

/** Owners that hold so much each, of which they share nothing. */
function owners(parts: readonly number[]): Owner[] {
  return parts.map((part, index) => {
    budget.add(part);
    return { name: `owner ${index}`, part };
  });
}

const settle = (list: readonly Owner[]): void => budget.settle(list, ({ part }) => part);

test('a share is what one owner gets, to the unit', () => {
  expect([budget.allows(60), budget.allows(61)]).toEqual([true, false]);
  expect(refusals).toEqual(['share']);
});

test('the sum is what has been added', () => {
  budget.add(7);
  budget.add(5);
  budget.add(-7);
  expect(budget.used).toBe(5);
});

test('up to the total nobody pays', () => {
  settle(owners([400, 400]));
  expect([evicted, refusals]).toEqual([[], []]);
});

test('over it the largest pay, until an eighth is free', () => {
  settle(owners([90, 130, 100, 120, 110, 251]));
  expect(evicted).toEqual(['owner 5']);
  expect(refusals).toEqual(['evicted']);
  expect(budget.used).toBe(550);
  settle(owners([60, 80, 70, 50]));
  expect(evicted).toEqual(['owner 5', 'owner 1', 'owner 2']);
  expect(budget.used).toBe(660);
});

test('nobody pays any more as soon as an eighth is free', () => {
  settle(owners([100, 100, 100, 100, 100, 100, 100, 100, 110]));
  expect(evicted).toEqual(['owner 8', 'owner 0']);
  expect(budget.used).toBe(700);
});

test('who holds nothing does not pay', () => {
  budget.add(900);
  settle([{ name: 'nobody', part: 0 }]);
  expect(evicted).toEqual([]);
});
